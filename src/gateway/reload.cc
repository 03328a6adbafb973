#include "gateway/reload.h"

#include <sys/stat.h>

#include <unordered_map>

#include "base/log.h"

namespace gw::gateway {

namespace {

// The log names this many differences; the rest is a number.
constexpr size_t kDetailsMax = 20;

using RowsById = std::unordered_map<std::string_view, const config::Deployment*>;

RowsById IndexRows(const config::Snapshot& snapshot) {
  RowsById rows;
  for (const config::Deployment& d : snapshot.deployments) rows.emplace(d.id, &d);
  return rows;
}

// Everything that a client or an upstream could notice; the key only as equal or not.
bool SameRow(const config::Deployment& a, const config::Deployment& b) {
  return a.model_name == b.model_name && a.litellm_model == b.litellm_model && a.api_base == b.api_base &&
         a.api_key == b.api_key && a.shown_params == b.shown_params && a.model_info == b.model_info &&
         a.order == b.order && a.weight == b.weight && a.blocked == b.blocked;
}

// Settings that are read once, at the start of the process.
void DescribeFixed(const config::Snapshot& before, const config::Snapshot& after, std::vector<std::string>& out) {
  const auto fixed = [&out](bool differs, std::string_view what) {
    if (differs) out.emplace_back(what).append(": needs a restart, the old value stays");
  };
  fixed(before.server.host != after.server.host || before.server.port != after.server.port, "host and port");
  fixed(before.server.num_workers != after.server.num_workers, "num_workers");
  fixed(before.server.tls_cert_file != after.server.tls_cert_file ||
            before.server.tls_key_file != after.server.tls_key_file, "certificate of the listener");
  fixed(before.redis.on() != after.redis.on(), "metrics about Redis");
  fixed(before.metrics.latency_buckets != after.metrics.latency_buckets ||
            before.metrics.labels != after.metrics.labels ||
            before.metrics.native_histograms != after.metrics.native_histograms ||
            before.metrics.expiry != after.metrics.expiry ||
            before.metrics.cleanup_interval_s != after.metrics.cleanup_interval_s ||
            before.metrics.series_per_family_max != after.metrics.series_per_family_max ||
            before.metrics.separate_port != after.metrics.separate_port,
        "buckets, labels, limits and port of the metrics");
}

ReloadOutcome Rejected(const config::Loaded& loaded) {
  ReloadOutcome outcome;
  outcome.kind = ReloadOutcome::Kind::kRejected;
  outcome.text = "the configuration cannot be loaded; the old one stays in force";
  for (const config::Finding& finding : loaded.findings) {
    if (finding.severity != config::Severity::kError || outcome.details.size() == kDetailsMax) continue;
    std::string text = finding.file;
    if (finding.line > 0) text += ":" + std::to_string(finding.line);
    if (!text.empty()) text += ": ";
    if (!finding.path.empty()) text += finding.path + ": ";
    outcome.details.push_back(text + finding.message);
  }
  return outcome;
}

std::string_view NameOf(ReloadOutcome::Kind kind) {
  switch (kind) {
    case ReloadOutcome::Kind::kApplied: return "applied";
    case ReloadOutcome::Kind::kUnchanged: return "unchanged";
    case ReloadOutcome::Kind::kRejected: break;
  }
  return "rejected";
}

}  // namespace

std::vector<std::string> DescribeChange(const config::Snapshot& before, const config::Snapshot& after) {
  std::vector<std::string> out;
  const RowsById old_rows = IndexRows(before), new_rows = IndexRows(after);
  size_t unnamed = 0;
  const auto add = [&out, &unnamed](std::string text) {
    if (out.size() < kDetailsMax) out.push_back(std::move(text));
    else ++unnamed;
  };
  for (const config::Deployment& d : after.deployments) {
    const auto found = old_rows.find(d.id);
    if (found == old_rows.end()) add("deployment added: " + d.id + " (" + d.model_name + ")");
    else if (!SameRow(*found->second, d)) add("deployment changed: " + d.id + " (" + d.model_name + ")");
  }
  for (const config::Deployment& d : before.deployments) {
    if (new_rows.find(d.id) == new_rows.end()) add("deployment removed: " + d.id + " (" + d.model_name + ")");
  }
  if (unnamed > 0) out.push_back("and " + std::to_string(unnamed) + " further deployments");
  if (before.general.master_key != after.general.master_key) out.emplace_back("the master key changed");
  if (!(before.cache == after.cache)) out.emplace_back("the settings of the response cache changed");
  if (!(before.redis == after.redis)) out.emplace_back("the Redis that replicas share changed");
  DescribeFixed(before, after, out);
  if (out.empty() && before.source_digest != after.source_digest) out.emplace_back("settings or prices changed");
  return out;
}

Reloader::Reloader(Runtime& runtime, LoadFunction load, std::vector<std::string> files,
                   std::function<void(std::shared_ptr<Core>)> adopt)
    : runtime_(runtime), load_(std::move(load)), adopt_(std::move(adopt)), files_(std::move(files)) {
  stamp_ = Stamp();
}

std::string Reloader::Stamp() const {
  std::string text;
  for (const std::string& file : files_) {
    struct stat info {};
    if (stat(file.c_str(), &info) != 0) {
      text += "gone;";
      continue;
    }
    for (const auto number : {static_cast<int64_t>(info.st_dev), static_cast<int64_t>(info.st_ino),
                              static_cast<int64_t>(info.st_size), static_cast<int64_t>(info.st_mtim.tv_sec),
                              static_cast<int64_t>(info.st_mtim.tv_nsec)}) {
      text += std::to_string(number) + ",";
    }
    text += ';';
  }
  return text;
}

bool Reloader::FilesChanged() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !files_.empty() && Stamp() != stamp_;
}

void Reloader::FreeRetired() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(retired_, [](const std::shared_ptr<Core>& core) { return core.use_count() == 1; });
}

ReloadOutcome Reloader::Load(std::shared_ptr<Core>* core) {
  // Stamped before it is read: a change in between is seen as one more change.
  stamp_ = Stamp();
  const config::Loaded loaded = load_();
  if (loaded.snapshot == nullptr) return Rejected(loaded);
  if (loaded.files != files_) {  // those that are new to us were not stamped before
    files_ = loaded.files;
    stamp_ = Stamp();
  }
  const std::shared_ptr<Core> before = runtime_.current();
  ReloadOutcome outcome;
  outcome.details = DescribeChange(*before->snapshot, *loaded.snapshot);
  *core = std::make_shared<Core>(loaded.snapshot, runtime_, before.get());
  outcome.kind = outcome.details.empty() ? ReloadOutcome::Kind::kUnchanged : ReloadOutcome::Kind::kApplied;
  outcome.text = "configuration in force: " + std::to_string(loaded.snapshot->deployments.size()) + " deployments";
  return outcome;
}

ReloadOutcome Reloader::Reload(std::string_view cause) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const TimePoint begin = SteadyClock::now();
  std::shared_ptr<Core> core;
  ReloadOutcome outcome = Load(&core);
  if (core != nullptr) {
    retired_.push_back(runtime_.current());
    runtime_.SetCurrent(core);
    runtime_.telemetry->Configure(core->snapshot);  // before the first request that is recorded under it
    adopt_(core);
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - begin);
  const log::Level level = core != nullptr ? log::Level::kInfo : log::Level::kError;
  log::Write(level, "reload: " + outcome.text,
             {{"cause", std::string(cause)}, {"outcome", std::string(NameOf(outcome.kind))},
              {"ms", std::to_string(took.count())}});
  for (const std::string& detail : outcome.details) log::Write(level, "reload: " + detail);
  runtime_.metrics->OnReload(NameOf(outcome.kind));
  return outcome;
}

}  // namespace gw::gateway
