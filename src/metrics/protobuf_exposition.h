// How does a family look as protobuf? io.prometheus.client.MetricFamily, each behind its length.
// The only format that carries native histograms (docs/decisions/0012-protobuf-exposition.md).
#pragma once

#include <functional>
#include <span>
#include <string>

#include "metrics/exposition.h"

namespace gw::metrics {

// options.names: a family that owns none of them is left out; one that owns some is whole.
void AppendFamilyProtobuf(const FamilySpec& spec, std::span<const SeriesData* const> series,
                          const RenderOptions& options, std::string& out);
void AppendCollectedProtobuf(const FamilySpec& spec, const std::function<void(const Registry::Emit&)>& collect,
                             const RenderOptions& options, std::string& out);

}  // namespace gw::metrics
