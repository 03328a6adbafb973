// How does a family look on the wire? Text 0.0.4, text 1.0.0 (same body) and OpenMetrics 1.0.
//
// Byte for byte what LiteLLM's client library prints (metrics facts 1.2): HELP and TYPE carry
// `_total` in the text formats only; `_created` is a gauge family of its own after its parent in
// the text formats and a sample inside the family in OpenMetrics.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "metrics/registry.h"
#include "metrics/series_data.h"

namespace gw::metrics {

// Python's repr, but with an exponent from 1e+06 upward: "9.0", "9.98912e+08", "+Inf", "NaN".
void AppendNumber(std::string& out, double value);

struct RenderOptions {
  ExpositionFormat format = ExpositionFormat::kText004;
  // Sample names to keep; empty keeps all. A family without kept samples disappears.
  std::span<const std::string> names;
  bool created_series = true;
  const Registry::Take& take;  // may be empty

  void OfferPiece(std::string& out) const {
    if (out.size() >= Registry::kPieceBytes && take) take(out);
  }
};

void RenderFamily(const FamilySpec& spec, std::span<const SeriesData* const> series,
                  const RenderOptions& options, std::string& out);

void RenderCollected(const FamilySpec& spec,
                     const std::function<void(const Registry::Emit&)>& collect,
                     const RenderOptions& options, std::string& out);

// The samples of a computed family: labels as printed, value. Where labels were left out, what became
// equal is one sample: counters add up, gauges keep the last.
[[nodiscard]] std::vector<std::pair<std::string, double>> CollectSamples(
    const FamilySpec& spec, const std::function<void(const Registry::Emit&)>& collect);

// The family under its older names: the same series, printed again without _created.
[[nodiscard]] std::vector<FamilySpec> LegacySpecsOf(const FamilySpec& spec, ExpositionFormat format);

}  // namespace gw::metrics
