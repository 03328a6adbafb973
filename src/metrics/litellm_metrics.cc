// Construction, what a scrape computes, and the events that are rare.
#include "metrics/litellm_metrics.h"

#include <algorithm>
#include <utility>

#include "metrics/litellm_impl.h"
#include "metrics/process_metrics.h"

#ifndef GW_VERSION
#define GW_VERSION "unknown"
#endif
#ifndef GW_COMMIT
#define GW_COMMIT "unknown"
#endif

namespace gw::metrics {
namespace {

constexpr std::array<std::string_view, kLabels> kLabelNames = {
    "end_user",         "hashed_api_key",  "api_key_alias", "requested_model",
    "team",             "team_alias",      "user",          "user_email",
    "exception_status", "exception_class", "route",         "client_ip",
    "user_agent",       "model_id",        "api_provider",  "org_id",
    "org_alias",        "status_code",     "model",         "model_group",
    "service_tier",     "api_base",        "litellm_model_name",
    "fallback_model",   "callback_name",   "stream",        "outcome",
    "side",             "user_alias",      "rate_limit_category", "rate_limit_type",
    "input_sequence_length", "sink"};

void EmitOne(const Registry::Emit& emit, const std::function<double()>& read) {
  if (read) emit({}, read());
}

}  // namespace

std::string_view LabelName(Label label) { return kLabelNames[static_cast<size_t>(label)]; }

void LabelValues::SetCaller(const CallerLabels& caller, const LabelChoice& choice) {
  LabelValues& self = *this;
  self[Label::kHashedApiKey] = OrNone(caller.hashed_api_key);
  self[Label::kApiKeyAlias] = OrNone(caller.api_key_alias);
  self[Label::kTeam] = OrNone(caller.team);
  self[Label::kTeamAlias] = OrNone(caller.team_alias);
  self[Label::kUser] = OrNone(caller.user);
  self[Label::kUserEmail] = OrNone(caller.user_email);
  self[Label::kOrgId] = OrNone(caller.org_id);
  self[Label::kOrgAlias] = OrNone(caller.org_alias);
  self[Label::kUserAlias] = OrNone(caller.user_alias);
  self[Label::kEndUser] = choice.end_user ? OrNone(caller.end_user) : "None";
  self[Label::kClientIp] = OrNone(caller.client_ip);
  self[Label::kUserAgent] = OrNone(caller.user_agent);
  SetCustom(caller.custom, choice);
}

void LabelValues::SetCustom(const CustomLabels* custom, const LabelChoice& choice) {
  size_t slot = kLabels;
  for (size_t i = 0; i < choice.metadata_labels.size(); ++i) {
    const bool is_known = custom != nullptr && i < custom->metadata.size();
    values_[slot++] = is_known ? std::string_view(custom->metadata[i]) : "None";
  }
  const uint64_t tags = custom != nullptr ? custom->tags : 0;
  for (size_t i = 0; i < choice.tags.size(); ++i) values_[slot++] = (tags >> i & 1) != 0 ? "true" : "false";
}

void LabelValues::SetDeployment(const DeploymentLabels& deployment) {
  LabelValues& self = *this;
  self[Label::kModelGroup] = deployment.model_group;
  self[Label::kLitellmModelName] = deployment.litellm_model_name;
  self[Label::kModelId] = deployment.model_id;
  self[Label::kApiBase] = deployment.api_base;
  self[Label::kApiProvider] = deployment.api_provider;
}

void AppendCaller(CacheKey& key, const CallerLabels& caller, const MetricsCore& core) {
  for (const std::string_view value :
       {caller.hashed_api_key, caller.api_key_alias, caller.team, caller.team_alias, caller.user,
        caller.user_email, caller.org_id, caller.org_alias}) {
    key.Append(value);
  }
  // What varies most is left out when nobody asked for it.
  if (core.Uses(Label::kClientIp)) key.Append(caller.client_ip);
  if (core.Uses(Label::kUserAgent)) key.Append(caller.user_agent);
  if (core.options.choice.end_user) key.Append(caller.end_user);
  if (caller.custom == nullptr) return;
  for (const std::string& value : caller.custom->metadata) key.Append(value);
  const uint64_t tags = caller.custom->tags;
  key.Append({reinterpret_cast<const char*>(&tags), sizeof(tags)});
}

void AppendDeployment(CacheKey& key, const DeploymentLabels& deployment) {
  for (const std::string_view value :
       {deployment.model_group, deployment.litellm_model_name, deployment.model_id,
        deployment.api_base, deployment.api_provider}) {
    key.Append(value);
  }
}

std::string_view StreamLabel(bool field_present, bool stream) {
  if (!field_present) return "None";
  return stream ? "True" : "False";
}

namespace {
// One writer more than there are workers: what is counted outside of the loops.
LitellmMetricsOptions WithControlWriter(LitellmMetricsOptions options) {
  options.registry.workers = std::max(1U, options.registry.workers) + 1;
  return options;
}
}  // namespace

MetricsCore::MetricsCore(const LitellmMetricsOptions& metrics_options, LiveState live_state)
    : options(WithControlWriter(metrics_options)),
      control_writer(options.registry.workers - 1),
      live(std::move(live_state)),
      registry(options.registry),
      caches(options.registry.workers) {
  for (const FamilyRow& row : FamilyTable()) {
    if (IsChosen(row, options.choice)) AddRow(row);
  }
  // Alerts on increase() need the series before the first event.
  for (const std::string_view side : {"client", "upstream"}) {
    LabelValues values;
    values[Label::kSide] = side;
    (void)With(FamilyId::kStreamAborted, values);
  }
  for (const std::string_view outcome : {"applied", "unchanged", "rejected"}) {
    LabelValues values;
    values[Label::kOutcome] = outcome;
    (void)With(FamilyId::kReloads, values);
  }
}

void MetricsCore::AddRow(const FamilyRow& row) {
  FamilySpec spec = SpecOf(row, options.choice, options.latency_buckets);
  if (row.scrape != ScrapeId::kNever) return AddScraped(row, std::move(spec));
  if (row.service != Service::kNone) return AddService(row, std::move(spec));
  spec.expires = row.id != FamilyId::kNone && !row.name.starts_with("litellm_gw_");
  Family* family = registry.Add(std::move(spec));
  if (row.id == FamilyId::kNone) return;
  const auto index = static_cast<size_t>(row.id);
  families[index] = family;
  for (const std::string& name : family->spec().labels) {
    const LabelSlot slot = SlotOf(name);
    labels[index].push_back(slot);
    if (slot < kLabels) used_labels |= uint64_t{1} << slot;
  }
}

LabelSlot MetricsCore::SlotOf(std::string_view label) const {
  for (size_t i = 0; i < kLabels; ++i) {
    if (kLabelNames[i] == label) return static_cast<LabelSlot>(i);
  }
  size_t slot = kLabels;
  for (const std::string& entry : options.choice.metadata_labels) {
    if (CustomLabelName(entry) == label) return static_cast<LabelSlot>(slot);
    ++slot;
  }
  for (const std::string& tag : options.choice.tags) {
    if (TagLabelName(tag) == label) return static_cast<LabelSlot>(slot);
    ++slot;
  }
  return static_cast<LabelSlot>(Label::kSide);  // not reached: each offered label is one of these
}

// A scrape computes all labels of its row; what was left out is dropped here.
void MetricsCore::AddScraped(const FamilyRow& row, FamilySpec spec) {
  std::vector<size_t> kept;
  const std::vector<std::string> all = ExpandLabels(row.labels);
  for (size_t i = 0; i < all.size(); ++i) {
    if (std::find(spec.labels.begin(), spec.labels.end(), all[i]) != spec.labels.end()) kept.push_back(i);
  }
  const bool is_whole = kept.size() == all.size();
  registry.AddCollected(std::move(spec), [this, id = row.scrape, kept, is_whole](const Registry::Emit& emit) {
    if (is_whole) return Collect(id, emit);
    Collect(id, [&](std::span<const std::string_view> values, double value) {
      std::vector<std::string_view> some;
      for (const size_t at : kept) some.push_back(values[at]);
      emit(some, value);
    });
  });
}

void MetricsCore::AddService(const FamilyRow& row, FamilySpec spec) {
  const std::string name = spec.labels.empty() ? std::string() : spec.labels.front();
  Family* family = registry.Add(std::move(spec));
  ServiceFamilies& service = services[static_cast<size_t>(row.service)];
  const std::array<std::string_view, 1> values = {name};
  if (row.service_part == ServicePart::kFailed) service.failed = family;
  else if (row.service_part == ServicePart::kTotal) service.total = family->With(values);
  else service.latency = family->With(values);
}

Series* MetricsCore::With(FamilyId id, const LabelValues& values) const {
  const auto index = static_cast<size_t>(id);
  if (families[index] == nullptr) return nullptr;  // not chosen
  std::array<std::string_view, kLabels + kCustomLabelsMax> in_order;
  size_t count = 0;
  for (const LabelSlot slot : labels[index]) in_order[count++] = values.at(slot);
  return families[index]->With(std::span(in_order).first(count));
}

void MetricsCore::Add(uint32_t worker, FamilyId id, const LabelValues& values, double by) const {
  if (Series* series = With(id, values)) series->Add(worker, by);
}

void MetricsCore::Collect(ScrapeId id, const Registry::Emit& emit) const {
  switch (id) {
    case ScrapeId::kInFlight:
      EmitOne(emit, live.in_flight_requests);
      return;
    case ScrapeId::kActiveStreams:
      EmitOne(emit, live.active_streams);
      return;
    case ScrapeId::kBuildInfo: {
      const std::array<std::string_view, 2> values = {GW_VERSION, GW_COMMIT};
      emit(values, 1);
      return;
    }
    case ScrapeId::kDeploymentState:
    case ScrapeId::kDeploymentCooldown:
      CollectDeployments(id, emit);
      return;
    case ScrapeId::kEngineWaiting:
    case ScrapeId::kEngineRunning:
    case ScrapeId::kEngineKvUsage:
      CollectEngines(id, emit);
      return;
    case ScrapeId::kProviderBudget:
      if (!live.provider_budgets) return;
      live.provider_budgets([&](const LiveState::ProviderBudget& budget) {
        const std::array<std::string_view, 1> values = {budget.provider};
        emit(values, budget.left_usd);
      });
      return;
    case ScrapeId::kMetricSeries:
    case ScrapeId::kMetricOverflow:
      CollectFamilies(id, emit);
      return;
    default:
      if (const auto value = ReadProcessMetric(id)) emit({}, *value);
  }
}

void MetricsCore::CollectDeployments(ScrapeId id, const Registry::Emit& emit) const {
  if (!live.deployments) return;
  live.deployments([&](const LiveState::Deployment& deployment) {
    const DeploymentLabels& l = deployment.labels;
    if (id == ScrapeId::kDeploymentCooldown) {
      const std::array<std::string_view, 1> values = {l.model_id};
      emit(values, std::max(0.0, deployment.cooldown_left_s));
      return;
    }
    const std::array<std::string_view, 4> values = {l.litellm_model_name, l.model_id, l.api_base,
                                                    l.api_provider};
    emit(values, deployment.state);
  });
}

void MetricsCore::CollectEngines(ScrapeId id, const Registry::Emit& emit) const {
  if (!live.deployments) return;
  live.deployments([&](const LiveState::Deployment& deployment) {
    if (!deployment.engine) return;
    const LiveState::Engine& engine = *deployment.engine;
    const std::array<std::string_view, 1> values = {deployment.labels.model_id};
    emit(values, id == ScrapeId::kEngineWaiting   ? engine.waiting
                 : id == ScrapeId::kEngineRunning ? engine.running
                                                  : engine.kv_usage);
  });
}

void MetricsCore::CollectFamilies(ScrapeId id, const Registry::Emit& emit) const {
  for (const Family* family : families) {
    if (family == nullptr || family->spec().labels.empty()) continue;
    const std::string name = ExposedName(family->spec());
    const std::array<std::string_view, 1> values = {name};
    const bool is_overflow = id == ScrapeId::kMetricOverflow;
    emit(values, static_cast<double>(is_overflow ? family->overflow_count()
                                                 : family->series_count()));
  }
}

LitellmMetrics::LitellmMetrics(const LitellmMetricsOptions& options, LiveState live)
    : impl_(std::make_unique<Impl>(options, std::move(live))) {}
LitellmMetrics::~LitellmMetrics() = default;

const Registry& LitellmMetrics::registry() const { return impl_->registry; }
Registry& LitellmMetrics::registry() { return impl_->registry; }

void LitellmMetrics::OnFallback(uint32_t worker, const FallbackRecord& record) {
  LabelValues values;
  values.SetCaller(record.caller, impl_->options.choice);
  values[Label::kRequestedModel] = record.requested_model;
  values[Label::kFallbackModel] = record.fallback_model;
  values[Label::kExceptionStatus] = OrNone(record.exception_status);
  values[Label::kExceptionClass] = OrNone(record.exception_class);
  values[Label::kModelId] = "None";  // compat: LiteLLM never fills it
  impl_->Add(worker, record.succeeded ? FamilyId::kSuccessfulFallbacks : FamilyId::kFailedFallbacks,
             values);
}

void LitellmMetrics::OnCooldown(uint32_t worker, const CooldownRecord& record) {
  LabelValues values;
  values[Label::kLitellmModelName] = record.model_group;
  values[Label::kModelId] = record.model_id;
  values[Label::kApiBase] = record.api_base;
  values[Label::kApiProvider] = record.api_provider;
  values[Label::kExceptionStatus] = OrNone(record.exception_status);
  values.SetCustom(record.custom, impl_->options.choice);
  impl_->Add(worker, FamilyId::kCooledDown, values);
}

void LitellmMetrics::OnStreamAborted(uint32_t worker, std::string_view side) {
  LabelValues values;
  values[Label::kSide] = side;
  impl_->Add(worker, FamilyId::kStreamAborted, values);
}

void LitellmMetrics::OnHedge(uint32_t worker, std::string_view model_group, std::string_view outcome) {
  LabelValues values;
  values[Label::kModelGroup] = model_group;
  values[Label::kOutcome] = outcome;
  impl_->Add(worker, FamilyId::kHedges, values);
}

void LitellmMetrics::OnReload(std::string_view outcome) {
  LabelValues values;
  values[Label::kOutcome] = outcome;
  const std::lock_guard lock(impl_->control_mutex);
  impl_->Add(impl_->control_writer, FamilyId::kReloads, values);
}

void LitellmMetrics::OnTelemetry(std::string_view sink, std::string_view outcome, uint64_t records) {
  LabelValues values;
  values[Label::kSink] = sink;
  values[Label::kOutcome] = outcome;
  values[Label::kCallbackName] = sink;
  const std::lock_guard lock(impl_->control_mutex);
  impl_->Add(impl_->control_writer, FamilyId::kTelemetryRecords, values, static_cast<double>(records));
  if (outcome != "delivered")
    impl_->Add(impl_->control_writer, FamilyId::kCallbackFailures, values, static_cast<double>(records));
}

void LitellmMetrics::OnEngineScrape(uint32_t worker, std::string_view outcome) {
  LabelValues values;
  values[Label::kOutcome] = outcome;
  impl_->Add(worker, FamilyId::kEngineScrapes, values);
}

void LitellmMetrics::OnCallbackFailure(uint32_t worker, std::string_view callback_name) {
  LabelValues values;
  values[Label::kCallbackName] = OrNone(callback_name);
  impl_->Add(worker, FamilyId::kCallbackFailures, values);
}

bool LitellmMetrics::expires() const { return impl_->options.registry.expiry.is_on(); }

void LitellmMetrics::Quiesce(uint32_t worker) {
  const uint64_t generation = impl_->registry.generation();
  WorkerCaches& caches = impl_->Caches(worker);
  if (caches.generation != generation) caches.Clear();
  caches.generation = generation;
  impl_->registry.Release(worker, generation);
}

void LitellmMetrics::Sweep(double now_s) {
  const std::lock_guard lock(impl_->control_mutex);
  impl_->registry.Release(impl_->control_writer, impl_->registry.generation());  // it keeps no pointers
  impl_->registry.Sweep(now_s);
}

bool LitellmMetrics::times_services() const { return impl_->options.choice.services; }
const LabelChoice& LitellmMetrics::choice() const { return impl_->options.choice; }

void LitellmMetrics::OnService(uint32_t worker, Service service, double seconds) {
  const MetricsCore::ServiceFamilies& families = impl_->services[static_cast<size_t>(service)];
  if (families.total == nullptr) return;
  families.latency->Observe(worker, seconds);
  families.total->Add(worker, 1);
}

void LitellmMetrics::OnServiceFailure(uint32_t worker, Service service, std::string_view error_class,
                                      std::string_view function_name) {
  const MetricsCore::ServiceFamilies& families = impl_->services[static_cast<size_t>(service)];
  if (families.total == nullptr) return;
  families.total->Add(worker, 1);
  const std::string& name = families.failed->spec().labels.front();
  const std::array<std::string_view, 3> values = {name, error_class, function_name};
  families.failed->With(values)->Add(worker, 1);
}

}  // namespace gw::metrics
