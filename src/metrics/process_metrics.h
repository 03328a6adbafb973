// What the operating system says about this process, read from /proc at each scrape.
#pragma once

#include <optional>

#include "metrics/litellm_families.h"

namespace gw::metrics {

// nullopt when the system does not tell (then the sample is left out) or `id` is not of a process.
[[nodiscard]] std::optional<double> ReadProcessMetric(ScrapeId id);

}  // namespace gw::metrics
