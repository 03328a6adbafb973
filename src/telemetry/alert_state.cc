// When is an answer slow, a request hanging, a deployment out?
#include "telemetry/alert_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "base/strings.h"

namespace gw::telemetry {
namespace {

constexpr size_t kReportedMax = 5;
constexpr size_t kAlertTextBytesMax = 3000;  // Slack cuts a text at 40,000 characters; nobody reads 3,000

std::string Round(double seconds) { return PythonFloat(static_cast<double>(static_cast<int64_t>(seconds * 100 + 0.5)) / 100); }

// 30.0 -> "30", 2.5 -> "2.5".
std::string Threshold(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  return static_cast<double>(whole) == seconds ? std::to_string(whole) : PythonFloat(seconds);
}

// A value between backticks: one line, and nothing in it ends them.
std::string Plain(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c != '`') out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return out;
}

std::string WhoCalled(std::string_view key_alias, std::string_view team_alias) {
  return fmt::format("\nKey Alias: `{}`\nTeam Alias: `{}`", Plain(key_alias), Plain(team_alias));
}

std::string ErrorCounts(const std::vector<int>& statuses) {
  const auto timeouts = std::count(statuses.begin(), statuses.end(), 408);
  const auto others = static_cast<int64_t>(statuses.size()) - timeouts;
  std::string out;
  if (timeouts > 0) out += fmt::format("\nTimeout Errors: {}", timeouts);
  if (others > 0) out += fmt::format("\nAPI Errors: {}", others);
  return out;
}

std::string Cut(std::string_view text) {
  if (text.size() <= kAlertTextBytesMax) return std::string(text);
  size_t keep = kAlertTextBytesMax;
  while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xC0) == 0x80) --keep;
  return std::string(text.substr(0, keep)) + "...";
}

// Not what a client did wrong before anything was called.
bool IsWorthAnAlert(const RequestRecord& record) {
  return !record.attempts.empty() || record.status >= 500 ||
         record.error_class == ErrorClassName(ErrorClass::kNoDeployments);
}

// The deployment, or what the client asked for.
std::string AboutOf(const RequestRecord& record) {
  return record.deployment == nullptr ? record.requested_model : record.deployment->id;
}

// An upstream's text may quote the prompt: its class and status are told. Ours is told when nobody was called.
std::string What(const RequestRecord& record) {
  if (record.attempts.empty()) return Plain(fmt::format("{}: {}", record.error_class, record.error_message));
  return fmt::format("{}: status {}", record.error_class, record.status);
}

}  // namespace

void AlertState::Raise(std::string_view type, std::string_view level, std::string about, std::string text) {
  if (settings_.Has(type)) alerts_.push_back({std::string(type), level, Cut(text), std::move(about)});
}

void AlertState::OnRecord(const RequestRecord& record) {
  if (record.kind == RequestRecord::Kind::kStarted) {
    OnStart(record);
  } else {
    OnEnd(record);
  }
}

void AlertState::OnStart(const RequestRecord& record) {
  if (!settings_.Has("llm_requests_hanging") || open_.size() >= limits::kTelemetryStartsMax) return;
  open_.push_back({record.id, record.arrived, record.requested_model, record.key_alias, record.team_alias});
  by_id_[record.id] = std::prev(open_.end());
}

void AlertState::OnEnd(const RequestRecord& record) {
  if (const auto found = by_id_.find(record.id); found != by_id_.end()) {
    open_.erase(found->second);
    by_id_.erase(found);
  }
  for (const AttemptRecord& attempt : record.attempts) OnAttempt(attempt);
  NoteDay(record);
  const std::string_view api_base = record.deployment == nullptr ? "None" : std::string_view(record.deployment->api_base);
  if (record.outcome == RequestRecord::Outcome::kSuccess) {
    const double seconds = Seconds(record.finished - record.started);
    if (seconds <= settings_.threshold_s) return;
    Raise("llm_too_slow", "Low", AboutOf(record),
          fmt::format("`Responses are slow - {}s response time > Alerting threshold: {}s`\nRequest Model: `{}`\n"
                      "API Base: `{}`",
                      Round(seconds), Threshold(settings_.threshold_s), Plain(record.requested_model), api_base) +
              WhoCalled(record.key_alias, record.team_alias));
  } else if (record.outcome == RequestRecord::Outcome::kFailure && IsWorthAnAlert(record)) {
    std::string text = fmt::format("LLM API call failed: `{}`\nModel: `{}`\nAPI Base: `{}`\nmodel_group: `{}`", What(record),
                                   record.deployment == nullptr ? "None" : record.deployment->litellm_model, api_base,
                                   Plain(record.requested_model));
    Raise("llm_exceptions", "High", AboutOf(record) + ' ' + record.error_class, text + WhoCalled(record.key_alias, record.team_alias));
  }
}

void AlertState::OnAttempt(const AttemptRecord& attempt) {
  if (attempt.deployment == nullptr) return;
  const config::Deployment& d = *attempt.deployment;
  const bool failed =
      attempt.outcome == AttemptRecord::Outcome::kFailed || attempt.outcome == AttemptRecord::Outcome::kBroken;
  if (failed && (attempt.status == 408 || attempt.status >= 500)) OnFailedAttempt(attempt);
  if (!attempt.cooldown_started) return;
  const auto told = cooldowns_.find(d.id);
  if (told != cooldowns_.end() && attempt.end - told->second < FromSeconds(settings_.outage_ttl_s)) return;
  cooldowns_[d.id] = attempt.end;
  Raise("cooldown_deployment", "Medium", d.id,
        fmt::format("Deployment in cooldown\nModel: `{}`\nAPI Base: `{}`\nmodel_group: `{}`\nmodel_id: `{}`\n"
                    "Status: `{}`\nError: `{}`",
                    d.litellm_model, d.api_base, d.model_name, d.id, attempt.status, attempt.error_class));
}

void AlertState::OnFailedAttempt(const AttemptRecord& attempt) {
  const config::Deployment& d = *attempt.deployment;
  if (settings_.Has("outage_alerts")) {
    NoteOutage(outages_[d.id], FromSeconds(settings_.outage_ttl_s), attempt,
               fmt::format("*Model Name:* `{}`\n*Provider:* `{}`\n*API Base:* `{}`", d.upstream_model, d.provider,
                           d.api_base),
               1);
  }
  if (settings_.Has("region_outage_alerts") && !d.region_name.empty()) {
    NoteOutage(region_outages_[d.provider + d.region_name], FromSeconds(settings_.region_outage_ttl_s), attempt,
               fmt::format("*Region Name:* `{}`\n*Provider:* `{}`", d.region_name, d.provider), 2);
  }
}

// compat: major only after minor, and both under the type outage_alerts, also for a region.
void AlertState::NoteOutage(Outage& outage, Duration ttl, const AttemptRecord& attempt, const std::string& heading,
                            size_t deployments_min) {
  if (outage.statuses.empty() || attempt.end - outage.first > ttl) outage = {attempt.end, {}, {}, false, false};
  const auto kept_max = static_cast<size_t>(std::max(settings_.minor_outage_threshold, settings_.major_outage_threshold));
  if (outage.statuses.size() < kept_max) outage.statuses.push_back(attempt.status);
  outage.deployments.insert(attempt.deployment->id);
  if (outage.deployments.size() < deployments_min) return;
  const auto errors = static_cast<int>(outage.statuses.size());
  const auto tell = [&](std::string_view which, std::string_view level) {
    const std::string text = fmt::format("\n*{} Service Outage*\n\n{}\n\n*Errors:*{}", which, heading,
                                         ErrorCounts(outage.statuses));
    alerts_.push_back({"outage_alerts", level, text, std::string(which) + heading});
  };
  if (!outage.minor_sent && errors >= settings_.minor_outage_threshold) {
    outage.minor_sent = true;
    tell("Minor", "Medium");
  } else if (!outage.major_sent && errors >= settings_.major_outage_threshold) {
    outage.major_sent = true;
    tell("Major", "High");
  }
}

void AlertState::NoteDay(const RequestRecord& record) {
  if (!settings_.Has("daily_reports")) return;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.deployment == nullptr) continue;
    Day& day = days_[attempt.deployment->id];
    day.model = attempt.deployment->litellm_model;
    day.api_base = attempt.deployment->api_base;
    if (attempt.outcome == AttemptRecord::Outcome::kFailed || attempt.outcome == AttemptRecord::Outcome::kBroken) {
      ++day.failures;
    } else if (attempt.outcome == AttemptRecord::Outcome::kSuccess) {
      ++day.answers;
      const auto tokens = static_cast<double>(std::max<int64_t>(1, record.usage.completion_tokens));
      day.seconds_per_token += Seconds(attempt.end - attempt.begin) / tokens;
    }
  }
}

std::string AlertState::DailyReport() const {
  std::vector<const Day*> failed, slow;
  for (const auto& [id, day] : days_) {
    if (day.failures > 0) failed.push_back(&day);
    if (day.answers > 0) slow.push_back(&day);
  }
  const auto mean = [](const Day* day) { return day->seconds_per_token / static_cast<double>(day->answers); };
  std::sort(failed.begin(), failed.end(), [](const Day* a, const Day* b) { return a->failures > b->failures; });
  std::sort(slow.begin(), slow.end(), [&](const Day* a, const Day* b) { return mean(a) > mean(b); });
  std::string out = "\n\n*Top Deployments with Most Failed Requests:*\n";
  for (size_t i = 0; i < std::min(failed.size(), kReportedMax); ++i) {
    out += fmt::format("\t{}. Deployment: `{}`, Failed Requests: `{}`, API Base: `{}`\n", i + 1, failed[i]->model,
                       failed[i]->failures, failed[i]->api_base);
  }
  if (failed.empty()) out += "\tNone\n";
  out += "\n*Top Slowest Deployments:*\n";
  for (size_t i = 0; i < std::min(slow.size(), kReportedMax); ++i) {
    out += fmt::format("\t{}. Deployment: `{}`, Latency per output token: `{:.3f}s/token`, API Base: `{}`\n", i + 1,
                       slow[i]->model, mean(slow[i]), slow[i]->api_base);
  }
  if (slow.empty()) out += "\tNone\n";
  return out;
}

void AlertState::Inherit(AlertState& before, const std::set<std::string_view>& ids) {
  const config::AlertSettings& old = before.settings_;
  const auto both_have = [&](std::string_view type) { return old.Has(type) && settings_.Has(type); };
  const auto take_known = [&](auto& from, auto& into) {
    std::erase_if(from, [&](const auto& item) { return !ids.contains(item.first); });
    into.swap(from);
  };
  if (both_have("llm_requests_hanging")) {
    open_.swap(before.open_);
    by_id_.swap(before.by_id_);
  }
  const bool same_thresholds = old.minor_outage_threshold == settings_.minor_outage_threshold &&
                               old.major_outage_threshold == settings_.major_outage_threshold;
  if (both_have("outage_alerts") && same_thresholds && old.outage_ttl_s == settings_.outage_ttl_s) {
    take_known(before.outages_, outages_);
  }
  const bool same_region_ttl = old.region_outage_ttl_s == settings_.region_outage_ttl_s;
  if (both_have("region_outage_alerts") && same_thresholds && same_region_ttl) {
    region_outages_.swap(before.region_outages_);
    for (auto& [region, outage] : region_outages_) {
      std::erase_if(outage.deployments, [&](const std::string& id) { return !ids.contains(id); });
    }
    std::erase_if(region_outages_, [](const auto& item) { return item.second.deployments.empty(); });
  }
  if (both_have("cooldown_deployment")) take_known(before.cooldowns_, cooldowns_);
  if (both_have("daily_reports")) {
    take_known(before.days_, days_);
    report_from_ = before.report_from_;
  }
}

void AlertState::OnLost() {
  open_.clear();
  by_id_.clear();
}

void AlertState::OnTick(TimePoint now) {
  const Duration threshold = FromSeconds(settings_.threshold_s);
  while (!open_.empty() && now - open_.front().arrived >= threshold) {
    const Open& open = open_.front();
    Raise("llm_requests_hanging", "Medium", open.model,
          fmt::format("`Requests are hanging - {}s+ request time`\nRequest Model: `{}`", Threshold(settings_.threshold_s),
                      Plain(open.model)) +
              WhoCalled(open.key_alias, open.team_alias));
    by_id_.erase(open.id);
    open_.pop_front();
  }
  if (now - report_from_ < FromSeconds(settings_.daily_report_frequency_s)) return;
  report_from_ = now;
  if (!days_.empty()) Raise("daily_reports", "Low", "", DailyReport());
  days_.clear();
}

}  // namespace gw::telemetry
