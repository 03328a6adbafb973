// The drop-in promise: names, types, labels and buckets, and the page that documents them.
// After a wanted change run with GW_UPDATE_GOLDEN=1 and review the difference.
#include "metrics/litellm_families.h"

#include <gtest/gtest.h>

#include <set>

#include "metrics/exposition.h"
#include "metrics/litellm_impl.h"
#include "metrics/reference.h"
#include "metrics/test_util.h"

namespace gw::metrics {
namespace {

std::string Line(const FamilyRow& row) {
  const FamilySpec spec = SpecOf(row, {}, {});
  static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  std::string line = ExposedName(spec);
  line += ' ';
  line += kTypes[static_cast<size_t>(row.type)];
  const bool is_fed = row.is_fed() || row.shown == Shown::kWithRedis;
  line += row.shown == Shown::kWithFeature ? " reserved" : row.shown == Shown::kWithServices ? " services" : is_fed ? " fed" : " name-only";
  line += " labels=";
  for (size_t i = 0; i < spec.labels.size(); ++i) line += (i > 0 ? "," : "") + spec.labels[i];
  if (!spec.bounds.empty()) {
    line += " buckets=";
    for (const double bound : spec.bounds) {
      AppendNumber(line, bound);
      line += ',';
    }
    line += "+Inf";
  }
  return line + "\n";
}

TEST(FamilyTable, EqualsTheGoldenList) {
  std::string actual;
  for (const FamilyRow& row : FamilyTable()) actual += Line(row);
  EXPECT_EQ(actual, test::Golden("tests/golden/metrics/families.txt", actual));
}

TEST(FamilyTable, ReferencePageIsUpToDate) {
  const std::string actual = MetricsReferenceMarkdown();
  EXPECT_EQ(actual, test::Golden("docs/metrics-reference.md", actual));
}

TEST(FamilyTable, NamesAndIdsAreUnique) {
  std::set<std::string> names;
  std::set<FamilyId> ids;
  for (const FamilyRow& row : FamilyTable()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    if (row.id != FamilyId::kNone) {
      EXPECT_TRUE(ids.insert(row.id).second) << row.name;
    }
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_EQ(row.type == Type::kHistogram, row.buckets != Buckets::kNone) << row.name;
  }
  EXPECT_EQ(ids.size(), kFamilyIds);
}

TEST(FamilyTable, EveryLabelOfAFedFamilyCanBeFilled) {
  std::set<std::string_view> known;
  for (size_t i = 0; i < kLabels; ++i) known.insert(LabelName(static_cast<Label>(i)));
  EXPECT_EQ(known.size(), kLabels);
  for (const FamilyRow& row : FamilyTable()) {
    if (row.id == FamilyId::kNone) continue;
    for (const std::string& label : ExpandLabels(row.labels)) {
      EXPECT_TRUE(known.contains(label)) << row.name << " " << label;
    }
  }
}

TEST(FamilyTable, RegisteredFamiliesAreTheShownOnesInTableOrder) {
  LitellmMetrics metrics({}, {});
  std::vector<std::string> expected, actual;
  for (const FamilyRow& row : FamilyTable()) {
    if (row.shown == Shown::kAlways) expected.push_back(row.name);
  }
  for (const FamilySpec* spec : metrics.registry().specs()) actual.push_back(spec->name);
  EXPECT_EQ(actual, expected);
}

TEST(FamilyTable, LatencyBucketsCanBeReplaced) {
  LitellmMetricsOptions options;
  options.latency_buckets = {3, 1};
  LitellmMetrics metrics(options, {});
  for (const FamilySpec* spec : metrics.registry().specs()) {
    if (spec->name == "litellm_llm_api_latency_metric") {
      EXPECT_EQ(spec->bounds, (std::vector<double>{1, 3}));
    }
    if (spec->name == "litellm_deployment_latency_per_output_token") {
      EXPECT_EQ(spec->bounds.size(), 14U);
    }
  }
}

}  // namespace
}  // namespace gw::metrics
