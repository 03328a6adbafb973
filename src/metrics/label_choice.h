// Which families exist and which labels do they have, as the operator asked?
//
// litellm_settings.prometheus_* and custom_prometheus_* of one start. Everything here is decided once,
// before the first series: afterwards a family's labels are fixed. Names are checked by the loader,
// which knows file and line; what it let through applies here without a second look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/litellm_families.h"

namespace gw::metrics {

// Every custom label is a part of each cached label set.
inline constexpr size_t kMetadataLabelsMax = 32;
inline constexpr size_t kTagLabelsMax = 64;  // one bit each
inline constexpr size_t kCustomLabelsMax = kMetadataLabelsMax + kTagLabelsMax;

struct LabelChoice {
  struct Selection {
    std::string metric;  // declared name, or "*"
    std::optional<std::vector<std::string>> include_labels;
    bool operator==(const Selection&) const = default;
  };
  enum class Caller : uint8_t { kAlias, kEmail, kBoth };

  bool has_selections = false;  // prometheus_metrics_config is given: what it does not name is left out
  std::vector<Selection> selections;
  std::vector<std::string> exclude_metrics, exclude_labels;
  std::vector<std::string> metadata_labels;  // paths: "metadata.team.name"
  std::vector<std::string> tags;             // patterns: "User-Agent: curl/*"
  Caller caller = Caller::kAlias;            // of the deployment and latency families
  bool end_user = false;
  bool stream = false;
  bool rate_limit = false;
  bool input_sequence_length = false;
  bool user_budget_identity = false;  // user_email and user_alias
  bool legacy_names = false;          // names of older LiteLLM versions too
  bool services = false;              // service_callback: prometheus_system

  [[nodiscard]] bool has_custom_labels() const { return !metadata_labels.empty() || !tags.empty(); }
  bool operator==(const LabelChoice&) const = default;
};

// "metadata.foo-bar" -> "metadata_foo_bar".
[[nodiscard]] std::string CustomLabelName(std::string_view entry);
// "User-Agent: curl/*" -> "tag_User_Agent__curl__".
[[nodiscard]] std::string TagLabelName(std::string_view tag);

// All labels that the row may have under this choice, before include and exclude lists.
[[nodiscard]] std::vector<std::string> OfferedLabels(const FamilyRow& row, const LabelChoice& choice);
// The labels it does have.
[[nodiscard]] std::vector<std::string> ChosenLabels(const FamilyRow& row, const LabelChoice& choice);
[[nodiscard]] bool IsChosen(const FamilyRow& row, const LabelChoice& choice);

// The row that a configuration may name; also by the name with "_total". nullptr: there is none.
[[nodiscard]] const FamilyRow* FindSelectable(std::string_view metric);
// Is it a label of any family under this choice?
[[nodiscard]] bool IsKnownLabel(std::string_view label, const LabelChoice& choice);

// Names under which older LiteLLM versions exposed the family.
[[nodiscard]] std::vector<std::string> LegacyNamesOf(const FamilyRow& row);

}  // namespace gw::metrics
