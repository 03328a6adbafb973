// Which alerts do records and time give rise to?
//
// A state machine without clock and network. Names of alert types, levels and the marked facts
// ("Request Model: `x`") are LiteLLM's; prompts never stand in an alert. Bounded: open requests by
// kTelemetryStartsMax, everything else by the number of deployments.
#pragma once

#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "config/alert_settings.h"
#include "telemetry/record.h"

namespace gw::telemetry {

struct Alert {
  std::string type;
  std::string_view level;  // "Low", "Medium", "High"
  std::string text;
  std::string about;  // deployment or group, and class: equal ones are told together
};

class AlertState {
 public:
  AlertState(config::AlertSettings settings, TimePoint now) : settings_(std::move(settings)), report_from_(now) {}

  void OnRecord(const RequestRecord& record);
  void OnTick(TimePoint now);
  // What `before`, of the settings that were replaced, knows of the past: moved as far as the settings that
  // shape it are the same, and only of the deployments in `ids` (those that are gone would pile up).
  void Inherit(AlertState& before, const std::set<std::string_view>& ids);
  // Ends may be missing: what began before is not told as hanging.
  void OnLost();
  [[nodiscard]] std::vector<Alert> Take() { return std::exchange(alerts_, {}); }

 private:
  struct Open {
    uint64_t id = 0;  // RequestRecord::id
    TimePoint arrived{};
    std::string model, key_alias, team_alias;
  };
  // Errors of one deployment, or of one provider's region, since `first`.
  struct Outage {
    TimePoint first{};
    std::vector<int> statuses;
    std::set<std::string> deployments;
    bool minor_sent = false, major_sent = false;
  };
  struct Day {  // of a deployment, for the daily report
    std::string model, api_base;
    uint64_t failures = 0, answers = 0;
    double seconds_per_token = 0;  // sum
  };

  void OnStart(const RequestRecord& record);
  void OnEnd(const RequestRecord& record);
  void OnAttempt(const AttemptRecord& attempt);
  void OnFailedAttempt(const AttemptRecord& attempt);
  void NoteOutage(Outage& outage, Duration ttl, const AttemptRecord& attempt, const std::string& heading,
                  size_t deployments_min);
  void NoteDay(const RequestRecord& record);
  [[nodiscard]] std::string DailyReport() const;
  void Raise(std::string_view type, std::string_view level, std::string about, std::string text);

  const config::AlertSettings settings_;
  std::vector<Alert> alerts_;
  std::list<Open> open_;  // in the order in which they became known
  std::unordered_map<uint64_t, std::list<Open>::iterator> by_id_;
  std::map<std::string, Outage, std::less<>> outages_, region_outages_;
  std::map<std::string, TimePoint, std::less<>> cooldowns_;  // when a deployment's was told last
  std::map<std::string, Day, std::less<>> days_;
  TimePoint report_from_;
};

}  // namespace gw::telemetry
