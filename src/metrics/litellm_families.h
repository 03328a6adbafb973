// Which families does the exposition have? One row each, in exposition order.
//
// Names, labels and buckets are LiteLLM's promise to dashboards (metrics facts 2); help is ours.
// A new metric is one row here, its feeding in litellm_*.cc and the golden list of families.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/registry.h"

namespace gw::metrics {

// Families that events write. Rows without an id are not written by events.
enum class FamilyId : uint8_t {
  kProxyFailed, kProxyTotal, kRequestTotalLatency, kLlmApiLatency, kTimeToFirstToken, kSpend,
  kTotalTokens, kInputTokens, kOutputTokens, kInputCachedTokens, kInputCacheCreationTokens,
  kInputAudioTokens, kOutputReasoningTokens, kOutputAudioTokens, kRemainingKeyBudget,
  kRemainingUserBudget, kKeyRequestsForModel, kKeyTokensForModel, kRemainingRequests,
  kRemainingTokens, kOverhead, kOverheadWithGuardrails, kQueueTime, kTpmLimit, kRpmLimit,
  kCooledDown, kDeploymentSuccess, kDeploymentFailure, kDeploymentTotal, kLatencyPerOutputToken,
  kSuccessfulFallbacks, kFailedFallbacks, kCallbackFailures, kLlmApiFailed, kRequests,
  kCacheHits, kCacheMisses, kCachedTokens, kProviderCacheRead, kProviderCacheCreation, kAttempts, kStreamAborted,
  kInterToken, kRetryBackoff, kReloads, kHedges, kEngineScrapes,
  kTelemetryRecords,
  kCount,
  kNone = kCount,
};
inline constexpr size_t kFamilyIds = static_cast<size_t>(FamilyId::kCount);

// Families computed at scrape.
enum class ScrapeId : uint8_t {
  kNever, kVirtualMemory, kResidentMemory, kStartTime, kCpuSeconds, kOpenFds, kMaxFds,
  kDeploymentState, kInFlight, kBuildInfo, kActiveStreams, kDeploymentCooldown, kMetricSeries,
  kMetricOverflow, kEngineWaiting, kEngineRunning, kEngineKvUsage, kProviderBudget,
};

enum class Buckets : uint8_t {
  kNone,
  kLatency,     // replaced by prometheus_latency_buckets
  kClient,      // the Prometheus client's default
  kBatch,
  kCleanup,
  kInterToken,
};
[[nodiscard]] std::vector<double> BoundsOf(Buckets buckets);

// When does LiteLLM (and so do we) show the family's HELP and TYPE?
enum class Shown : uint8_t {
  kAlways,
  kWithServices,  // with service_callback: prometheus_system
  kWithFeature,  // created by a feature that does not exist here: reserved, not registered
  kWithRedis,    // redis_metrics.h registers them
};

// Parts of the gateway that LiteLLM times as services (metrics facts 2.9).
enum class Service : uint8_t { kSelf, kRouter, kAuth, kPreCall, kCount, kNone = kCount };
inline constexpr size_t kServices = static_cast<size_t>(Service::kCount);
enum class ServicePart : uint8_t { kLatency, kTotal, kFailed };

struct FamilyRow {
  std::string name;  // as declared: a counter without the added "_total"
  Type type = Type::kCounter;
  std::string labels;  // separated by spaces; K, T, O, U, D stand for groups (ExpandLabels)
  Buckets buckets = Buckets::kNone;
  std::string_view priority;
  std::string help;
  FamilyId id = FamilyId::kNone;
  ScrapeId scrape = ScrapeId::kNever;
  Shown shown = Shown::kAlways;
  Service service = Service::kNone;
  ServicePart service_part = ServicePart::kLatency;

  [[nodiscard]] bool is_fed() const {
    return id != FamilyId::kNone || scrape != ScrapeId::kNever || service != Service::kNone;
  }
};

[[nodiscard]] const std::vector<FamilyRow>& FamilyTable();

// "K team" -> {"hashed_api_key", "api_key_alias", "team"}.
[[nodiscard]] std::vector<std::string> ExpandLabels(std::string_view labels);

// The name in the text formats: counters with "_total".
[[nodiscard]] std::string ExposedName(const FamilySpec& spec);

struct LabelChoice;
// The registry's view of a row; `latency_buckets` replaces Buckets::kLatency unless empty.
[[nodiscard]] FamilySpec SpecOf(const FamilyRow& row, const LabelChoice& choice,
                                const std::vector<double>& latency_buckets);

// The rows, in pieces of readable length.
void AppendProcessRows(std::vector<FamilyRow>& rows);
void AppendRequestRows(std::vector<FamilyRow>& rows);
void AppendBudgetRows(std::vector<FamilyRow>& rows);
void AppendDeploymentRows(std::vector<FamilyRow>& rows);
void AppendFeatureRows(std::vector<FamilyRow>& rows);
void AppendGatewayRows(std::vector<FamilyRow>& rows);
void AppendReservedRows(std::vector<FamilyRow>& rows);

}  // namespace gw::metrics
