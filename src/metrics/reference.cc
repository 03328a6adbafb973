#include "metrics/reference.h"

#include <string_view>

#include "metrics/exposition.h"
#include "metrics/label_choice.h"
#include "metrics/litellm_families.h"

namespace gw::metrics {
namespace {

constexpr std::string_view kHead =
    "# Metrics reference\n"
    "\n"
    "Generated from the family table in `src/metrics/`; do not edit.\n"
    "\n"
    "* Label names are listed in declared order and printed sorted by name.\n"
    "* Counters and histograms also have a `_created` sample (Unix time of the series), unless\n"
    "  `PROMETHEUS_DISABLE_CREATED_SERIES` is set.\n"
    "* A missing label value prints as `None`, in a few places as the empty string, like LiteLLM.\n"
    "* Label values are cut to 256 bytes. A family that is full puts new label sets into one\n"
    "  series whose labels are all `other`; a full gauge family drops them.\n"
    "* `prometheus_latency_buckets` replaces the latency buckets.\n"
    "\n"
    "## Buckets\n"
    "\n"
    "| Name | Upper bounds in seconds |\n"
    "|---|---|\n";

[[nodiscard]] std::string_view BucketsName(Buckets buckets) {
  switch (buckets) {
    case Buckets::kNone:
      return "";
    case Buckets::kLatency:
      return "latency";
    case Buckets::kClient:
      return "client default";
    case Buckets::kBatch:
      return "batch";
    case Buckets::kCleanup:
      return "cleanup";
    case Buckets::kInterToken:
      return "inter-token";
  }
  return "";
}

[[nodiscard]] std::string TypeText(const FamilyRow& row) {
  switch (row.type) {
    case Type::kCounter:
    case Type::kUntyped:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram (" + std::string(BucketsName(row.buckets)) + ")";
  }
  return "";
}

void AppendBuckets(std::string& out) {
  for (const Buckets buckets : {Buckets::kLatency, Buckets::kClient, Buckets::kBatch,
                                Buckets::kCleanup, Buckets::kInterToken}) {
    out += "| ";
    out += BucketsName(buckets);
    out += " |";
    for (const double bound : BoundsOf(buckets)) {
      out += ' ';
      AppendNumber(out, bound);
    }
    out += " +Inf |\n";
  }
}

void AppendRow(std::string& out, const FamilyRow& row) {
  const FamilySpec spec = SpecOf(row, {}, {});
  out += "| `" + ExposedName(spec) + "` | " + TypeText(row) + " | ";
  for (size_t i = 0; i < spec.labels.size(); ++i) {
    out += (i > 0 ? ", `" : "`") + spec.labels[i] + "`";
  }
  out += " | " + row.help + " |\n";
}

template <typename Predicate>
void AppendSection(std::string& out, std::string_view title, std::string_view text,
                   Predicate belongs) {
  out += "\n## ";
  out += title;
  out += "\n\n";
  out += text;
  out += "\n\n| Name | Type | Labels | Meaning |\n|---|---|---|---|\n";
  for (const FamilyRow& row : FamilyTable()) {
    if (belongs(row)) AppendRow(out, row);
  }
}

[[nodiscard]] bool IsOurs(const FamilyRow& row) {
  return row.name.starts_with("litellm_gw_") || row.name == "litellm_build_info";
}

}  // namespace

std::string MetricsReferenceMarkdown() {
  std::string out(kHead);
  AppendBuckets(out);
  AppendSection(out, "Families of LiteLLM", "Same names, labels and meaning as in LiteLLM.",
                [](const FamilyRow& row) {
                  return row.shown == Shown::kAlways && row.is_fed() && !IsOurs(row);
                });
  AppendSection(out, "Families of this gateway", "LiteLLM does not have these.", IsOurs);
  AppendSection(out, "Names without values",
                "Exposed, because dashboards know the names, but nothing feeds them yet.",
                [](const FamilyRow& row) {
                  return row.shown == Shown::kAlways && !row.is_fed();
                });
  AppendSection(out, "Services",
                "Exposed with `service_callback: [prometheus_system]`. Each has a label named after "
                "the service.",
                [](const FamilyRow& row) { return row.shown == Shown::kWithServices; });
  AppendSection(out, "Families about Redis",
                "Exposed by a process that was started with a Redis; same names, labels and meaning as in LiteLLM.",
                [](const FamilyRow& row) { return row.shown == Shown::kWithRedis; });
  AppendSection(out, "Reserved names",
                "Not exposed. LiteLLM creates them together with a feature that does not exist "
                "here yet.",
                [](const FamilyRow& row) { return row.shown == Shown::kWithFeature; });
  return out;
}

}  // namespace gw::metrics
