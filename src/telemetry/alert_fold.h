// Alerts that wait for one flush, folded: what happens to the same deployment for the same reason is
// one text with a number, and a storm of different ones ends in "and N more".
//
// Pure.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/alert_state.h"

namespace gw::telemetry {

class AlertFold {
 public:
  struct Folded {
    Alert first;
    uint64_t count = 0;
  };

  // False: no room, it is lost.
  bool Add(Alert alert) {
    const auto key = std::pair(alert.type, alert.about);
    if (const auto found = waiting_.find(key); found != waiting_.end()) {
      ++found->second.count;
      return true;
    }
    if (waiting_.size() >= kWaitingMax) return false;
    waiting_[key] = {std::move(alert), 1};
    return true;
  }
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

  // At most kTextsMax of one type, then one text that tells how many are missing.
  [[nodiscard]] std::vector<Folded> Take() {
    std::vector<Folded> out;
    std::string type;
    size_t texts = 0;
    uint64_t missing = 0;
    const auto close = [&] {
      if (missing > 0) out.push_back({{type, "Low", fmt::format("and {} more", missing), ""}, 1});
    };
    for (auto& [key, folded] : std::exchange(waiting_, {})) {  // in the order of types
      if (key.first != type) {
        close();
        type = key.first;
        texts = missing = 0;
      }
      if (++texts <= kTextsMax) {
        out.push_back(std::move(folded));
      } else {
        missing += folded.count;
      }
    }
    close();
    return out;
  }

 private:
  static constexpr size_t kWaitingMax = 200;
  static constexpr size_t kTextsMax = 10;
  std::map<std::pair<std::string, std::string>, Folded> waiting_;  // by type and what it is about
};

// As a text in Slack: nothing in it is a mention or a link.
[[nodiscard]] std::string SlackText(std::string_view text);

}  // namespace gw::telemetry
