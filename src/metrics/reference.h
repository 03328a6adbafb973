// docs/metrics-reference.md, made from the family table so that it cannot go stale.
#pragma once

#include <string>

namespace gw::metrics {

[[nodiscard]] std::string MetricsReferenceMarkdown();

}  // namespace gw::metrics
