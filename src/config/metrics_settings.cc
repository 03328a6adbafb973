#include "config/metrics_settings.h"

#include <algorithm>

#include "config/value_reader.h"
#include "metrics/label_choice.h"

namespace gw::config {
namespace {

using metrics::LabelChoice;

constexpr std::string_view kPrefix = "litellm_settings";

[[nodiscard]] bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// compat: every wrong name is reported, and any forbids the start.
class NameCheck {
 public:
  NameCheck(LoadContext& context, const LabelChoice& choice) : context_(context), choice_(choice) {}

  void Metric(const yaml::Node& node, const std::string& path) {
    if (!node.IsString()) return Refuse(node, path, "expected the name of a metric");
    if (metrics::FindSelectable(node.text) == nullptr) Refuse(node, path, "unknown metric \"" + node.text + "\"");
  }
  // A label that the selected metrics have; `metrics` are names that exist.
  void LabelOf(const yaml::Node& node, const std::vector<std::string>& metrics, const std::string& path) {
    if (!node.IsString()) return Refuse(node, path, "expected the name of a label");
    for (const std::string& name : metrics) {
      if (name == "*") return Label(node, path);
      const metrics::FamilyRow* row = metrics::FindSelectable(name);
      if (row == nullptr || Contains(metrics::OfferedLabels(*row, choice_), node.text)) continue;
      Refuse(node, path, "metric \"" + name + "\" has no label \"" + node.text + "\"");
    }
  }
  void Label(const yaml::Node& node, const std::string& path) {
    if (!node.IsString()) return Refuse(node, path, "expected the name of a label");
    if (!metrics::IsKnownLabel(node.text, choice_)) Refuse(node, path, "no metric has a label \"" + node.text + "\"");
  }
  void Refuse(const yaml::Node& node, const std::string& path, std::string message) {
    context_.Fatal(kExitRefused, node.place, path, std::move(message));
  }

 private:
  LoadContext& context_;
  const LabelChoice& choice_;
};

void ReadSelection(const yaml::Node& item, const std::string& path, NameCheck& check, LabelChoice& out) {
  if (!item.IsMapping()) return check.Refuse(item, path, "expected a mapping with group and metrics");
  const yaml::Node* metrics = ReadList(item, "metrics");
  if (metrics == nullptr) return check.Refuse(item, path, "metrics: expected a list of names");
  std::vector<std::string> names;
  for (size_t i = 0; i < metrics->items.size(); ++i) {
    const yaml::Node& name = metrics->items[i];
    if (!name.IsString() || name.text != "*") check.Metric(name, Indexed(Join(path, "metrics"), i));
    if (name.IsString()) names.push_back(name.text);
  }
  std::optional<std::vector<std::string>> include;
  if (const yaml::Node* labels = ReadList(item, "include_labels")) {
    for (size_t i = 0; i < labels->items.size(); ++i) {
      check.LabelOf(labels->items[i], names, Indexed(Join(path, "include_labels"), i));
    }
    include = ReadStrings(item, "include_labels");
  }
  for (std::string& name : names) out.selections.push_back({std::move(name), include});
}

void ReadChoiceOfMetrics(LoadContext& context, const yaml::Node& litellm, LabelChoice& out) {
  NameCheck check(context, out);
  if (const yaml::Node* list = ReadList(litellm, "prometheus_metrics_config")) {
    // compat: an empty list is no choice.
    out.has_selections = !list->items.empty();
    for (size_t i = 0; i < list->items.size(); ++i) {
      ReadSelection(list->items[i], Indexed("litellm_settings.prometheus_metrics_config", i), check, out);
    }
  }
  if (const yaml::Node* list = ReadList(litellm, "prometheus_exclude_metrics")) {
    for (const yaml::Node& item : list->items) check.Metric(item, "litellm_settings.prometheus_exclude_metrics");
    out.exclude_metrics = ReadStrings(litellm, "prometheus_exclude_metrics");
  }
  if (const yaml::Node* list = ReadList(litellm, "prometheus_exclude_labels")) {
    for (const yaml::Node& item : list->items) check.Label(item, "litellm_settings.prometheus_exclude_labels");
    out.exclude_labels = ReadStrings(litellm, "prometheus_exclude_labels");
  }
}

// Entries whose labels would have one name are one label.
void ReadCustomList(LoadContext& context, const yaml::Node& litellm, std::string_view key, size_t most,
                    std::string (*name_of)(std::string_view), std::vector<std::string>& out) {
  const yaml::Node* list = ReadList(litellm, key);
  if (list == nullptr) return;
  std::vector<std::string> names;
  for (std::string& entry : ReadStrings(litellm, key)) {
    const std::string name = name_of(entry);
    if (name.empty() || Contains(names, name)) continue;
    names.push_back(name);
    out.push_back(std::move(entry));
  }
  if (out.size() > most) {
    context.Fatal(kExitRefused, list->place, Join(kPrefix, key), "at most " + std::to_string(most) + " are possible");
  }
}

void ReadCaller(LoadContext& context, const yaml::Node& litellm, LabelChoice& out) {
  constexpr std::string_view kKey = "prometheus_deployment_and_latency_caller_identity";
  const auto text = ReadString(litellm, kKey);
  if (!text) return;
  if (*text == "user_email") out.caller = LabelChoice::Caller::kEmail;
  else if (*text == "both") out.caller = LabelChoice::Caller::kBoth;
  else if (*text != "api_key_alias") {
    context.Fatal(kExitRefused, litellm.Find(kKey)->place, Join(kPrefix, kKey),
                  "expected api_key_alias, user_email or both, got \"" + *text + "\"");
  }
}

void ReadLabels(LoadContext& context, const yaml::Node& litellm, LabelChoice& out) {
  SetIf(ReadBool(litellm, "prometheus_emit_stream_label"), out.stream);
  SetIf(ReadBool(litellm, "prometheus_emit_rate_limit_labels"), out.rate_limit);
  SetIf(ReadBool(litellm, "prometheus_emit_input_sequence_length_label"), out.input_sequence_length);
  SetIf(ReadBool(litellm, "prometheus_user_budget_label_include_email_alias"), out.user_budget_identity);
  SetIf(ReadBool(litellm, "prometheus_legacy_metric_names"), out.legacy_names);
  SetIf(ReadBool(litellm, "enable_end_user_cost_tracking_prometheus_only"), out.end_user);
  if (ReadBool(litellm, "disable_end_user_cost_tracking").value_or(false)) out.end_user = false;
  for (const std::string_view key : {"service_callback", "service_callbacks"}) {
    out.services |= Contains(ReadStrings(litellm, key), "prometheus_system");
  }
  ReadCaller(context, litellm, out);
  ReadCustomList(context, litellm, "custom_prometheus_metadata_labels", metrics::kMetadataLabelsMax,
                 metrics::CustomLabelName, out.metadata_labels);
  ReadCustomList(context, litellm, "custom_prometheus_tags", metrics::kTagLabelsMax, metrics::TagLabelName, out.tags);
  ReadChoiceOfMetrics(context, litellm, out);
}

void ReadExemplars(LoadContext& context, const yaml::Node& litellm, MetricsSettings& out) {
  using Exemplars = MetricsSettings::Exemplars;
  constexpr std::string_view kKey = "prometheus_exemplars";
  const yaml::Node* node = litellm.Find(kKey);
  if (node == nullptr || node->IsNull()) return;
  if (const auto flag = AsBool(*node)) {
    out.exemplars = *flag ? Exemplars::kTraced : Exemplars::kOff;
  } else if (node->IsString() && node->text == "all") {
    out.exemplars = Exemplars::kAll;
  } else if (!node->IsString() || node->text != "traced") {
    context.Fatal(kExitRefused, node->place, Join(kPrefix, kKey), "expected traced, all or false");
  }
}

void ReadExpiry(const yaml::Node& litellm, MetricsSettings& out) {
  const auto positive = [&litellm](std::string_view key) {
    const auto value = ReadNumber(litellm, key);
    return value && *value > 0 ? value : std::nullopt;
  };
  SetIf(positive("prometheus_metrics_ttl_seconds"), out.expiry.idle_s_max);
  SetIf(positive("prometheus_metrics_cleanup_interval_seconds"), out.cleanup_interval_s);
  if (!out.labels.end_user) return;
  const auto most = positive("prometheus_end_user_metrics_max_series_per_metric");
  out.expiry.end_user_series_max = static_cast<size_t>(std::min(most.value_or(10'000), 1e9));
  out.expiry.end_user_idle_s_max = positive("prometheus_end_user_metrics_ttl_seconds").value_or(3600);
  const auto interval = positive("prometheus_end_user_metrics_cleanup_interval_seconds");
  out.cleanup_interval_s = std::min(out.cleanup_interval_s, interval.value_or(60));
}

void ReadBuckets(LoadContext& context, const yaml::Node& litellm, std::vector<double>& out) {
  const auto* buckets = ReadList(litellm, "prometheus_latency_buckets");
  if (buckets == nullptr) return;
  for (const yaml::Node& item : buckets->items) {
    const auto bound = AsNumber(item);
    if (!bound) {
      context.Warn(item.place, "litellm_settings.prometheus_latency_buckets",
                   "expected numbers; LiteLLM's buckets are used");
      out.clear();
      break;
    }
    out.push_back(*bound);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace

MetricsSettings ReadMetricsSettings(LoadContext& context, const yaml::Node& root) {
  const yaml::Node& litellm = SectionOf(root, kPrefix);
  MetricsSettings out;
  for (const std::string_view key : {"callbacks", "success_callback"}) {
    out.enabled |= Contains(ReadStrings(litellm, key), "prometheus");
  }
  // Only the literal true closes the endpoint: scrapers rarely carry a key. LiteLLM decides the
  // other way round since 1.85.
  const yaml::Node* auth = litellm.Find("require_auth_for_metrics_endpoint");
  out.require_auth = auth != nullptr && auth->kind == yaml::Kind::kBool && auth->boolean;
  if (auth == nullptr && out.enabled) {
    context.Add(Severity::kInfo, KeyStatus::kEffective, {},
                "litellm_settings.require_auth_for_metrics_endpoint",
                "/metrics needs no key; set this to true to close it");
  }
  ReadBuckets(context, litellm, out.latency_buckets);
  ReadLabels(context, litellm, out.labels);
  ReadExemplars(context, litellm, out);
  ReadExpiry(litellm, out);
  SetIf(ReadBool(litellm, "prometheus_native_histograms"), out.native_histograms);
  out.created_series = !context.env.IsTrue("PROMETHEUS_DISABLE_CREATED_SERIES");
  const auto series = ReadInt(litellm, "prometheus_metrics_max_series_per_metric");
  if (series && *series > 0) out.series_per_family_max = static_cast<size_t>(*series);
  const auto port = EnvInt(context, "PROMETHEUS_METRICS_PORT");
  if (port && *port > 0 && *port <= 65535) out.separate_port = static_cast<uint16_t>(*port);
  return out;
}

}  // namespace gw::config
