// The insides of Series, Family and Registry, for registry.cc and series_expiry.cc.
#pragma once

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/limits.h"
#include "metrics/label_text.h"
#include "metrics/registry.h"
#include "metrics/series_data.h"

namespace gw::metrics {

[[nodiscard]] inline double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Series of a family by their label text. A look-up brings its hash along, a series keeps its own: the text
// is hashed once.
struct LabelKey {
  std::string_view text;
  uint32_t hash;
};
struct SeriesHash {
  using is_transparent = void;
  size_t operator()(const LabelKey& key) const { return key.hash; }
  size_t operator()(const SeriesData* series) const { return series->text_hash; }
};
struct SeriesEqual {
  using is_transparent = void;
  bool operator()(const LabelKey& a, const SeriesData* b) const { return a.hash == b->text_hash && a.text == b->label_text(); }
  bool operator()(const SeriesData* a, const LabelKey& b) const { return (*this)(b, a); }
  bool operator()(const SeriesData* a, const SeriesData* b) const { return a == b || (*this)(KeyOf(*a), b); }
  [[nodiscard]] static LabelKey KeyOf(const SeriesData& series) { return {series.label_text(), series.text_hash}; }
};

struct Family::Impl {
  Impl(FamilySpec family_spec, const RegistryOptions& options, std::span<CellArena> arenas,
       const std::atomic<uint32_t>& epoch)
      : spec(std::move(family_spec)),
        shape{spec.type, spec.bounds, arenas, options.native_histograms, ExpiresBy(options) ? &epoch : nullptr},
        order(spec.labels),
        series_max(options.series_per_family_max > 0 ? options.series_per_family_max : limits::kSeriesPerFamilyMax) {}

  [[nodiscard]] bool ExpiresBy(const RegistryOptions& options) const {
    return spec.expires && options.expiry.is_on() && !spec.labels.empty();
  }

  // Null when there is none yet.
  [[nodiscard]] SeriesData* Find(const LabelKey& key) const {
    const auto found = by_text.find(key);
    return found != by_text.end() ? *found : nullptr;
  }

  [[nodiscard]] SeriesData* MakeSeries(const LabelText& labels, uint32_t text_hash) {
    SeriesPtr made = SeriesData::Make(shape, labels, text_hash, UnixSeconds());
    return Take(made);
  }

  // Keeps the series in both or, when there is no memory, in neither: one of the two alone would print it twice.
  SeriesData* Take(SeriesPtr& series) {
    if (owned.size() == owned.capacity()) owned.reserve(std::max<size_t>(8, 2 * owned.capacity()));
    by_text.insert(series.get());
    owned.push_back(std::move(series));
    return owned.back().get();
  }

  // The one series that takes what comes after the cap.
  [[nodiscard]] SeriesData* Overflow() {
    ++overflow;
    if (spec.type == Type::kGauge) return nullptr;
    if (other == nullptr) {
      const std::vector<std::string_view> values(spec.labels.size(), "other");
      LabelText labels;
      order.Render(values, labels);
      const uint32_t hash = SeriesData::HashOf(labels.text);
      other = Find({labels.text, hash});
      if (other == nullptr) other = MakeSeries(labels, hash);
    }
    return other;
  }

  const FamilySpec spec;
  const FamilyShape shape;
  const LabelOrder order;
  const size_t series_max;

  mutable std::mutex mutex;
  // Guarded by mutex.
  std::vector<SeriesPtr> owned;  // in the order in which they were made
  boost::unordered_flat_set<SeriesData*, SeriesHash, SeriesEqual> by_text;
  SeriesData* other = nullptr;
  uint64_t overflow = 0;
};

// A series that is out of the exposition, until no worker can write it any more.
struct RetiredSeries {
  Family* family = nullptr;
  SeriesPtr series;
  uint64_t generation = 0;
  // What it held then: a write that came later is not lost.
  double sum = 0;
  std::vector<uint64_t> counts;
};

struct Registry::Impl {
  struct Collected {
    FamilySpec spec;
    std::function<void(const Emit&)> collect;
  };
  using Entry = std::variant<std::unique_ptr<Family>, Collected>;

  explicit Impl(const RegistryOptions& registry_options)
      : options(registry_options),
        arenas(std::max(1U, registry_options.workers)),
        released(arenas.size()),
        returned(arenas.size()) {}

  // The pointers of `family` at this moment; series made later wait for the next scrape.
  [[nodiscard]] static std::vector<const SeriesData*> SeriesOf(const Family& family) {
    const std::lock_guard lock(family.impl_->mutex);
    std::vector<const SeriesData*> all;
    all.reserve(family.impl_->owned.size());
    for (const SeriesPtr& series : family.impl_->owned) all.push_back(series.get());
    return all;
  }

  void Retire(Family& family, uint32_t sweep_epoch, double now_s, uint64_t next);
  void FreeReleased();
  [[nodiscard]] bool TakeBackIfWritten(RetiredSeries& gone);

  const RegistryOptions options;
  std::vector<CellArena> arenas;
  std::vector<Entry> entries;

  // Expiry; see series_expiry.cc.
  std::mutex scrape_mutex;  // scrapes and sweeps: what a scrape prints is not freed under it
  std::array<size_t, 4> last_bytes{};  // of whole expositions, per format; guarded by scrape_mutex
  std::atomic<uint32_t> epoch{1};
  std::atomic<uint64_t> generation{0};
  std::vector<std::atomic<uint64_t>> released;  // per worker
  std::vector<RetiredSeries> retired;           // guarded by scrape_mutex
  std::mutex returned_mutex;
  std::vector<std::vector<MemoryBlock>> returned;  // per worker, guarded by returned_mutex
};

}  // namespace gw::metrics
