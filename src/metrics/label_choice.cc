#include "metrics/label_choice.h"

#include <algorithm>

namespace gw::metrics {
namespace {

using Labels = std::vector<std::string>;

[[nodiscard]] bool Contains(const Labels& labels, std::string_view name) {
  return std::find(labels.begin(), labels.end(), name) != labels.end();
}

[[nodiscard]] std::string Sanitized(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    name += is_word ? c : '_';
  }
  return name;
}

[[nodiscard]] bool IsOurs(const FamilyRow& row) {
  return row.name.starts_with("litellm_gw_") || row.name == "litellm_build_info";
}

// Families of a client request: not the gauges, which a label per caller would split in two.
[[nodiscard]] bool TakesCustomLabels(const FamilyRow& row, const Labels& labels) {
  return row.type != Type::kGauge && row.shown == Shown::kAlways && !IsOurs(row) &&
         (Contains(labels, "hashed_api_key") || Contains(labels, "api_provider"));
}

// The nine families of prometheus_deployment_and_latency_caller_identity.
[[nodiscard]] bool NamesCaller(FamilyId id) {
  switch (id) {
    case FamilyId::kDeploymentTotal:
    case FamilyId::kDeploymentSuccess:
    case FamilyId::kDeploymentFailure:
    case FamilyId::kRequestTotalLatency:
    case FamilyId::kLlmApiLatency:
    case FamilyId::kTimeToFirstToken:
    case FamilyId::kQueueTime:
    case FamilyId::kOverhead:
    case FamilyId::kLatencyPerOutputToken:
      return true;
    default:
      return false;
  }
}

void ApplyCaller(LabelChoice::Caller caller, Labels& labels) {
  const auto alias = std::find(labels.begin(), labels.end(), "api_key_alias");
  if (alias == labels.end() || caller == LabelChoice::Caller::kAlias) return;
  if (caller == LabelChoice::Caller::kEmail) {
    *alias = "user_email";
  } else {
    labels.insert(alias + 1, "user_email");
  }
}

// Optional and custom labels stand before the organisation's.
void InsertExtra(std::string name, Labels& labels) {
  // A histogram owns `le`.
  if (name == "le" || Contains(labels, name)) return;
  labels.insert(std::find(labels.begin(), labels.end(), "org_id"), std::move(name));
}

[[nodiscard]] const LabelChoice::Selection* SelectionOf(const FamilyRow& row, const LabelChoice& choice) {
  const LabelChoice::Selection* last = nullptr;  // compat: the last one wins
  for (const LabelChoice::Selection& selection : choice.selections) {
    if (selection.metric == "*" || FindSelectable(selection.metric) == &row) last = &selection;
  }
  return last;
}

struct LegacyName {
  std::string_view now, before;
};
constexpr LegacyName kLegacyNames[] = {
    {"litellm_total_tokens_metric", "litellm_total_tokens"},
    {"litellm_input_tokens_metric", "litellm_input_tokens"},
    {"litellm_output_tokens_metric", "litellm_output_tokens"},
    {"litellm_remaining_requests_metric", "litellm_remaining_requests"},
    {"litellm_remaining_tokens_metric", "litellm_remaining_tokens"},
    {"litellm_deployment_state", "deployment_state"},
    {"litellm_redis_failed_requests", "litellm_redis_fails"},
};

}  // namespace

std::string CustomLabelName(std::string_view entry) {
  std::string name = Sanitized(entry);
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') name.insert(name.begin(), '_');
  return name;
}

std::string TagLabelName(std::string_view tag) { return "tag_" + Sanitized(tag); }

std::vector<std::string> OfferedLabels(const FamilyRow& row, const LabelChoice& choice) {
  Labels labels = ExpandLabels(row.labels);
  const bool is_custom = TakesCustomLabels(row, labels);
  if (NamesCaller(row.id)) ApplyCaller(choice.caller, labels);
  if (is_custom) {
    for (const std::string& entry : choice.metadata_labels) InsertExtra(CustomLabelName(entry), labels);
    for (const std::string& tag : choice.tags) InsertExtra(TagLabelName(tag), labels);
  }
  if (row.id == FamilyId::kProxyTotal && choice.stream) InsertExtra("stream", labels);
  if (row.id == FamilyId::kProxyFailed && choice.rate_limit) {
    InsertExtra("rate_limit_category", labels);
    InsertExtra("rate_limit_type", labels);
  }
  const bool is_latency = row.id == FamilyId::kRequestTotalLatency || row.id == FamilyId::kLlmApiLatency ||
                          row.id == FamilyId::kTimeToFirstToken;
  if (is_latency && choice.input_sequence_length) InsertExtra("input_sequence_length", labels);
  const bool is_user_budget = row.labels == "user" && row.name.find("_user_") != std::string::npos;
  if (is_user_budget && choice.user_budget_identity) {
    labels.emplace_back("user_email");
    labels.emplace_back("user_alias");
  }
  return labels;
}

std::vector<std::string> ChosenLabels(const FamilyRow& row, const LabelChoice& choice) {
  Labels labels = OfferedLabels(row, choice);
  if (const auto* selection = SelectionOf(row, choice); selection != nullptr && selection->include_labels) {
    std::erase_if(labels, [&](const std::string& name) { return !Contains(*selection->include_labels, name); });
  }
  std::erase_if(labels, [&](const std::string& name) { return Contains(choice.exclude_labels, name); });
  return labels;
}

bool IsChosen(const FamilyRow& row, const LabelChoice& choice) {
  if (row.shown == Shown::kWithFeature || row.shown == Shown::kWithRedis) return false;
  if (row.shown == Shown::kWithServices) return choice.services;
  for (const std::string& name : choice.exclude_metrics) {
    if (FindSelectable(name) == &row) return false;
  }
  if (!choice.has_selections || IsOurs(row) || FindSelectable(row.name) == nullptr) return true;
  return SelectionOf(row, choice) != nullptr;
}

const FamilyRow* FindSelectable(std::string_view metric) {
  constexpr std::string_view kTotal = "_total";
  for (const FamilyRow& row : FamilyTable()) {
    // compat: these are there whatever the configuration names.
    const bool is_fixed = row.shown != Shown::kAlways || row.name.starts_with("process_") ||
                          row.scrape == ScrapeId::kInFlight;
    if (is_fixed) continue;
    const bool is_with_total = row.type == Type::kCounter && metric.ends_with(kTotal) &&
                               metric.substr(0, metric.size() - kTotal.size()) == row.name;
    if (row.name == metric || is_with_total) return &row;
  }
  return nullptr;
}

bool IsKnownLabel(std::string_view label, const LabelChoice& choice) {
  for (const FamilyRow& row : FamilyTable()) {
    if (row.shown == Shown::kAlways && Contains(OfferedLabels(row, choice), label)) return true;
  }
  return false;
}

std::vector<std::string> LegacyNamesOf(const FamilyRow& row) {
  Labels names;
  for (const LegacyName& name : kLegacyNames) {
    if (name.now == row.name) names.emplace_back(name.before);
  }
  return names;
}

}  // namespace gw::metrics
