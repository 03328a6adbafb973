// How busy are the engines? For inference-aware routing the first worker reads their /metrics.
#pragma once

#include "gateway/worker.h"
#include "net/task.h"

namespace gw::gateway {

// Every scrape_interval, while a strategy needs it; each address by itself, at most limits::kParallelScrapes
// at a time. Whoever does not answer is left to grow stale (routing/engine_load.h). Runs until the process
// ends.
[[nodiscard]] net::Task<void> RunEngineScrapes(Worker& worker);

}  // namespace gw::gateway
