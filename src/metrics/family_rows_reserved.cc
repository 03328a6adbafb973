// Rows: names that LiteLLM creates together with a feature. Those of services that exist here are
// exposed with service_callback: prometheus_system; the others are not exposed, the table keeps them so
// that the feature gets the right name and the reference lists it.
#include "metrics/family_rows.h"

namespace gw::metrics {
namespace {

constexpr std::string_view kServicesWithLatency[] = {
    "redis",           "postgres",       "batch_write_to_db", "reset_budget_job",
    "self",            "router",         "auth",              "proxy_pre_call",
    "anthropic_wif",   "redis_daily_org_spend_update_queue",  "redis_daily_team_spend_update_queue",
    "redis_daily_tag_spend_update_queue", "redis_window_spend_update_queue"};

constexpr std::string_view kQueues[] = {
    "pod_lock_manager",
    "in_memory_daily_spend_update_queue",
    "redis_daily_spend_update_queue",
    "redis_daily_end_user_spend_update_queue",
    "redis_daily_agent_spend_update_queue",
    "in_memory_spend_update_queue",
    "redis_spend_update_queue"};

[[nodiscard]] std::string_view ServicePriority(std::string_view service) {
  if (service == "self") return "P0";
  for (const std::string_view known : {"redis", "postgres", "auth", "router"}) {
    if (service == known) return "P1";
  }
  return "P2";
}

// The services that exist here.
[[nodiscard]] Service ServiceOf(std::string_view name) {
  if (name == "self") return Service::kSelf;
  if (name == "router") return Service::kRouter;
  if (name == "auth") return Service::kAuth;
  if (name == "proxy_pre_call") return Service::kPreCall;
  return Service::kNone;
}

void AppendService(std::vector<FamilyRow>& rows, std::string_view name, ServicePart part, FamilyRow row) {
  row.service = ServiceOf(name);
  row.service_part = part;
  if (row.service != Service::kNone) row.shown = Shown::kWithServices;
  rows.push_back(std::move(row));
}

// compat: the label is named after the service and carries its name as value.
void AppendServiceCounters(std::vector<FamilyRow>& rows, const std::string& service) {
  const std::string_view priority = ServicePriority(service);
  AppendService(rows, service, ServicePart::kTotal,
                Reserved(Type::kCounter, Buckets::kNone,
                         {"litellm_" + service + "_total_requests", service, priority,
                          "Calls of the service"}));
  AppendService(rows, service, ServicePart::kFailed,
                Reserved(Type::kCounter, Buckets::kNone,
                         {"litellm_" + service + "_failed_requests",
                          service + " error_class function_name", priority,
                          "Failed calls of the service"}));
}

void AppendServiceRows(std::vector<FamilyRow>& rows) {
  for (const std::string_view name : kServicesWithLatency) {
    const std::string service(name);
    AppendService(rows, service, ServicePart::kLatency,
                  Reserved(Type::kHistogram, Buckets::kLatency,
                           {"litellm_" + service + "_latency", service, ServicePriority(service),
                            "Seconds of a call of the service"}));
    AppendServiceCounters(rows, service);
  }
  AppendServiceCounters(rows, "anthropic_wif_cache");
  for (const std::string_view name : kQueues) {
    const std::string queue(name);
    rows.push_back(Reserved(Type::kGauge, Buckets::kNone,
                            {"litellm_" + queue + "_size", queue, "P1", "Entries waiting"}));
  }
  rows.push_back(Reserved(Type::kGauge, Buckets::kNone,
                          {"litellm_redis_circuit_breaker_state", "state", "P2",
                           "Circuit breakers in the state"}));
  rows.push_back(Reserved(Type::kCounter, Buckets::kNone,
                          {"litellm_redis_circuit_breaker_transitions", "state", "P2",
                           "Changes of circuit breakers to the state"}));
  rows.push_back(Reserved(Type::kCounter, Buckets::kNone,
                          {"litellm_redis_circuit_breaker_failures", "failure_class", "P2",
                           "Failures seen by circuit breakers"}));
}

void AppendCleanupRows(std::vector<FamilyRow>& rows) {
  const std::string prefix = "litellm_spend_log_cleanup_";
  rows.push_back(Reserved(Type::kCounter, Buckets::kNone,
                          {prefix + "rows_deleted", "table", "P2", "Rows deleted"}));
  rows.push_back(Reserved(Type::kCounter, Buckets::kNone,
                          {prefix + "batch_failures", "table", "P2", "Failed delete batches"}));
  rows.push_back(Reserved(Type::kHistogram, Buckets::kCleanup,
                          {prefix + "batch_duration_seconds", "table", "P2",
                           "Seconds of a delete batch"}));
  rows.push_back(Reserved(Type::kGauge, Buckets::kNone,
                          {prefix + "rows_remaining", "table", "P2", "Rows still to delete"}));
  rows.push_back(Reserved(Type::kCounter, Buckets::kNone,
                          {prefix + "runs", "outcome", "P2", "Runs of the retention job"}));
  rows.push_back(Reserved(Type::kGauge, Buckets::kNone,
                          {"litellm_spend_log_storage_bytes", "measure", "P2",
                           "Storage of the spend log"}));
}

}  // namespace

void AppendReservedRows(std::vector<FamilyRow>& rows) {
  rows.push_back(Reserved(Type::kGauge, Buckets::kNone,
                          {"litellm_admission_admitted_requests", "", "P2",
                           "Requests past admission control"}));
  rows.push_back(Reserved(Type::kGauge, Buckets::kNone,
                          {"litellm_admission_queued_requests", "", "P2",
                           "Requests waiting for admission"}));
  rows.push_back(Reserved(Type::kCounter, Buckets::kNone,
                          {"litellm_admission_rejected_requests", "reason", "P2",
                           "Requests that admission control refused"}));
  AppendCleanupRows(rows);
  AppendServiceRows(rows);
  for (FamilyRow& row : rows) {
    const bool is_call = row.name == "litellm_redis_latency" || row.name == "litellm_redis_total_requests" ||
                         row.name == "litellm_redis_failed_requests";
    if (is_call || row.name.starts_with("litellm_redis_circuit_breaker_")) row.shown = Shown::kWithRedis;
  }
}

}  // namespace gw::metrics
