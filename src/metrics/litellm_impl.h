// What the litellm_*.cc files share: families by id, label values by name, per-worker caches.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "metrics/label_choice.h"
#include "metrics/litellm_families.h"
#include "metrics/litellm_metrics.h"
#include "metrics/series_cache.h"

namespace gw::metrics {

// Every label that an event can fill.
enum class Label : uint8_t {
  kEndUser, kHashedApiKey, kApiKeyAlias, kRequestedModel, kTeam, kTeamAlias, kUser, kUserEmail,
  kExceptionStatus, kExceptionClass, kRoute, kClientIp, kUserAgent, kModelId, kApiProvider,
  kOrgId, kOrgAlias, kStatusCode, kModel, kModelGroup, kServiceTier, kApiBase, kLitellmModelName,
  kFallbackModel, kCallbackName, kStream, kOutcome, kSide, kUserAlias, kRateLimitCategory,
  kRateLimitType, kInputSequenceLength, kSink,
  kCount,
};
inline constexpr size_t kLabels = static_cast<size_t>(Label::kCount);
static_assert(kLabels <= 64);
[[nodiscard]] std::string_view LabelName(Label label);
// A label of a family: one of Label, or kLabels + the index of a custom one (metadata first, then tags).
using LabelSlot = uint8_t;
static_assert(kLabels + kCustomLabelsMax <= 256);

// Values by label; what an event does not set stays "".
class LabelValues {
 public:
  std::string_view& operator[](Label label) { return values_[static_cast<size_t>(label)]; }
  std::string_view operator[](Label label) const { return values_[static_cast<size_t>(label)]; }

  [[nodiscard]] std::string_view at(LabelSlot slot) const { return values_[slot]; }

  void SetCaller(const CallerLabels& caller, const LabelChoice& choice);
  // Part of SetCaller.
  void SetCustom(const CustomLabels* custom, const LabelChoice& choice);
  // Empty parts stay empty; see OrNone.
  void SetDeployment(const DeploymentLabels& deployment);

 private:
  std::array<std::string_view, kLabels + kCustomLabelsMax> values_{};
};

// LiteLLM prints Python's None for most missing values (metrics facts 1.6).
[[nodiscard]] inline std::string_view OrNone(std::string_view value) {
  return value.empty() ? std::string_view("None") : value;
}

struct alignas(64) WorkerCaches {
  SeriesCache success, client_failure, attempt_failure, attempt;
  uint64_t generation = 0;  // of the registry, when the caches were last emptied
  void Clear() {
    for (SeriesCache* cache : {&success, &client_failure, &attempt_failure, &attempt}) cache->Clear();
  }
};

struct MetricsCore {
  MetricsCore(const LitellmMetricsOptions& metrics_options, LiveState live_state);

  // The series of a family for these values; null for a full gauge family.
  [[nodiscard]] Series* With(FamilyId id, const LabelValues& values) const;
  void Add(uint32_t worker, FamilyId id, const LabelValues& values, double by = 1) const;
  [[nodiscard]] WorkerCaches& Caches(uint32_t worker) { return caches[worker]; }
  // Does any family that events write have the label? Others are no part of a cached label set.
  [[nodiscard]] bool Uses(Label label) const { return (used_labels >> static_cast<size_t>(label) & 1) != 0; }

  const LitellmMetricsOptions options;  // registry.workers counts the control writer too
  const uint32_t control_writer;
  std::mutex control_mutex;  // of the control writer's cells
  const LiveState live;
  Registry registry;
  std::array<Family*, kFamilyIds> families{};
  std::array<std::vector<LabelSlot>, kFamilyIds> labels;  // declared order of the family
  uint64_t used_labels = 0;
  struct ServiceFamilies {
    Series* latency = nullptr;
    Series* total = nullptr;
    Family* failed = nullptr;
  };
  std::array<ServiceFamilies, kServices> services{};
  std::vector<WorkerCaches> caches;

 private:
  void AddRow(const FamilyRow& row);
  void AddScraped(const FamilyRow& row, FamilySpec spec);
  void AddService(const FamilyRow& row, FamilySpec spec);
  [[nodiscard]] LabelSlot SlotOf(std::string_view label) const;
  void Collect(ScrapeId id, const Registry::Emit& emit) const;
  void CollectDeployments(ScrapeId id, const Registry::Emit& emit) const;
  void CollectEngines(ScrapeId id, const Registry::Emit& emit) const;
  void CollectFamilies(ScrapeId id, const Registry::Emit& emit) const;
};

struct LitellmMetrics::Impl : MetricsCore {
  using MetricsCore::MetricsCore;
};

// Writes one event: looks each series up once per label set, later only writes.
// `make_labels(id)` returns the LabelValues for a family; it runs on the first touch only.
template <typename MakeLabels>
class EventWriter {
 public:
  EventWriter(const MetricsCore& impl, uint32_t worker, SeriesSet& set,
              const MakeLabels& make_labels, const ExemplarId& exemplar = {})
      : impl_(impl), worker_(worker), set_(set), make_labels_(make_labels), exemplar_(exemplar) {}

  void Add(FamilyId id, double v) {
    if (Series* series = Find(id)) series->Add(worker_, v);
  }
  void AddIfPositive(FamilyId id, int64_t v) {
    if (v > 0) Add(id, static_cast<double>(v));
  }
  void Observe(FamilyId id, double v) {
    if (Series* series = Find(id)) series->Observe(worker_, v, exemplar_);
  }
  void Set(FamilyId id, double v) {
    if (Series* series = Find(id)) series->Set(v);
  }

 private:
  [[nodiscard]] Series* Find(FamilyId id) {
    const auto index = static_cast<size_t>(id);
    if ((set_.resolved >> index & 1) == 0) [[unlikely]] {
      set_.series[index] = impl_.With(id, make_labels_(id));
      set_.resolved |= uint64_t{1} << index;
    }
    return set_.series[index];
  }

  const MetricsCore& impl_;
  const uint32_t worker_;
  SeriesSet& set_;
  const MakeLabels& make_labels_;
  const ExemplarId exemplar_;
};

void AppendCaller(CacheKey& key, const CallerLabels& caller, const MetricsCore& core);
void AppendDeployment(CacheKey& key, const DeploymentLabels& deployment);

// "True", "False", or "None" when the request had no `stream` field.
[[nodiscard]] std::string_view StreamLabel(bool field_present, bool stream);

}  // namespace gw::metrics
