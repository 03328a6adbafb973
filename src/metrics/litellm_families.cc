#include "metrics/litellm_families.h"

#include "base/strings.h"
#include "metrics/label_choice.h"

namespace gw::metrics {
namespace {

// Label groups that recur in the table, named as in metrics facts 2.
struct LabelGroup {
  std::string_view letter;
  std::string_view labels;
};
constexpr LabelGroup kGroups[] = {
    {"K", "hashed_api_key api_key_alias"},
    {"T", "team team_alias"},
    {"O", "org_id org_alias"},
    {"U", "end_user K model T user user_email requested_model model_id api_provider"},
    {"D", "model_group requested_model litellm_model_name model_id api_base api_provider"},
};

}  // namespace

std::vector<std::string> ExpandLabels(std::string_view labels) {
  std::vector<std::string> out;
  if (labels.empty()) return out;
  for (const std::string_view word : Split(labels, ' ')) {
    const LabelGroup* group = nullptr;
    for (const LabelGroup& one : kGroups) {
      if (one.letter == word) group = &one;
    }
    if (group == nullptr) {
      out.emplace_back(word);
      continue;
    }
    for (std::string& name : ExpandLabels(group->labels)) out.push_back(std::move(name));
  }
  return out;
}

std::vector<double> BoundsOf(Buckets buckets) {
  switch (buckets) {
    case Buckets::kNone:
      return {};
    case Buckets::kLatency:
      return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 420, 600};
    case Buckets::kClient:
      return {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
    case Buckets::kBatch:
      return {60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400};
    case Buckets::kCleanup:
      return {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
    case Buckets::kInterToken:
      return {0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5};
  }
  return {};
}

FamilySpec SpecOf(const FamilyRow& row, const LabelChoice& choice, const std::vector<double>& latency_buckets) {
  const bool is_replaced = row.buckets == Buckets::kLatency && !latency_buckets.empty();
  FamilySpec spec{row.name, row.help, row.type, ChosenLabels(row, choice),
                  is_replaced ? latency_buckets : BoundsOf(row.buckets)};
  if (choice.legacy_names) spec.legacy_names = LegacyNamesOf(row);
  spec.bare_name = choice.legacy_names && row.type == Type::kCounter && row.shown == Shown::kAlways &&
                   row.name.starts_with("litellm_");
  return spec;
}

std::string ExposedName(const FamilySpec& spec) {
  return spec.type == Type::kCounter ? spec.name + "_total" : spec.name;
}

const std::vector<FamilyRow>& FamilyTable() {
  static const std::vector<FamilyRow> table = [] {
    std::vector<FamilyRow> rows;
    AppendProcessRows(rows);
    AppendRequestRows(rows);
    AppendBudgetRows(rows);
    AppendDeploymentRows(rows);
    AppendFeatureRows(rows);
    AppendGatewayRows(rows);
    AppendReservedRows(rows);
    return rows;
  }();
  return table;
}

}  // namespace gw::metrics
