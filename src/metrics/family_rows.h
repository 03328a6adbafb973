// Short constructors for the rows of the family table.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/litellm_families.h"

namespace gw::metrics {

struct RowText {
  std::string name;
  std::string labels;
  std::string_view priority;
  std::string help;
};

inline FamilyRow MakeRow(Type type, Buckets buckets, RowText text) {
  FamilyRow row;
  row.type = type;
  row.buckets = buckets;
  row.name = std::move(text.name);
  row.labels = std::move(text.labels);
  row.priority = text.priority;
  row.help = std::move(text.help);
  return row;
}

inline FamilyRow Counter(FamilyId id, RowText text) {
  FamilyRow row = MakeRow(Type::kCounter, Buckets::kNone, std::move(text));
  row.id = id;
  return row;
}
inline FamilyRow Gauge(FamilyId id, RowText text) {
  FamilyRow row = MakeRow(Type::kGauge, Buckets::kNone, std::move(text));
  row.id = id;
  return row;
}
inline FamilyRow Histogram(FamilyId id, Buckets buckets, RowText text) {
  FamilyRow row = MakeRow(Type::kHistogram, buckets, std::move(text));
  row.id = id;
  return row;
}
// Computed at scrape.
inline FamilyRow Scraped(ScrapeId id, Type type, RowText text) {
  FamilyRow row = MakeRow(type, Buckets::kNone, std::move(text));
  row.scrape = id;
  return row;
}
// Shown because dashboards and LiteLLM know the name; nothing feeds it yet.
inline FamilyRow NameOnly(Type type, Buckets buckets, RowText text) {
  return MakeRow(type, buckets, std::move(text));
}
// The name belongs to a feature that does not exist here; not registered.
inline FamilyRow Reserved(Type type, Buckets buckets, RowText text) {
  FamilyRow row = MakeRow(type, buckets, std::move(text));
  row.shown = Shown::kWithFeature;
  return row;
}

}  // namespace gw::metrics
