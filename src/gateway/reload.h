// Reads the configuration again, says what differs, and puts it in force on every loop.
//
//   SIGHUP, a changed file, POST /config/reload --> Reload(): load -> compare -> new Core -> Adopt
//
// A configuration that cannot be loaded changes nothing. Requests and streams that run keep the
// Core they began under; deployments that stay keep counters, cooldowns and slots.
// Thread rule: Reload and FilesChanged may be called by any thread but a loop's; one at a time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/loader.h"
#include "gateway/core.h"

namespace gw::gateway {

using LoadFunction = std::function<config::Loaded()>;

// What an operator wants to know of a change: one line per difference, no secrets.
[[nodiscard]] std::vector<std::string> DescribeChange(const config::Snapshot& before, const config::Snapshot& after);

class Reloader {
 public:
  // `adopt` hands the new Core to every loop.
  Reloader(Runtime& runtime, LoadFunction load, std::vector<std::string> files,
           std::function<void(std::shared_ptr<Core>)> adopt);

  ReloadOutcome Reload(std::string_view cause);
  // Has one of the files another identity, size or time than when it was read? A ConfigMap's
  // symlink that was swapped counts as changed.
  [[nodiscard]] bool FilesChanged();
  // Frees configurations that nobody holds any more. A thousand deployments take milliseconds to
  // free: no loop does it between two requests. Called now and then by the thread that waits.
  void FreeRetired();

 private:
  ReloadOutcome Load(std::shared_ptr<Core>* core);
  std::string Stamp() const;

  Runtime& runtime_;
  LoadFunction load_;
  std::function<void(std::shared_ptr<Core>)> adopt_;
  std::mutex mutex_;
  std::vector<std::string> files_;
  std::string stamp_;
  std::vector<std::shared_ptr<Core>> retired_;
};

}  // namespace gw::gateway
