// The insides of Series, Family and Registry, for registry.cc and series_expiry.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
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

struct Series::Impl : SeriesData {
  using SeriesData::SeriesData;
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

  [[nodiscard]] Series* MakeSeries(LabelText labels) {
    labels.text.shrink_to_fit();  // it grew by doubling, and stays
    auto data = std::make_unique<Series::Impl>(shape, std::move(labels), UnixSeconds());
    all.push_back(data.get());
    owned.push_back(std::unique_ptr<Series>(new Series(std::move(data))));
    Series* made = owned.back().get();
    by_text.emplace(made->impl_->labels.text, made);
    return made;
  }

  // The one series that takes what comes after the cap.
  [[nodiscard]] Series* Overflow() {
    ++overflow;
    if (spec.type == Type::kGauge) return nullptr;
    if (other == nullptr) {
      const std::vector<std::string_view> values(spec.labels.size(), "other");
      LabelText labels;
      order.Render(values, labels);
      const auto found = by_text.find(labels.text);
      other = found != by_text.end() ? found->second : MakeSeries(std::move(labels));
    }
    return other;
  }

  const FamilySpec spec;
  const FamilyShape shape;
  const LabelOrder order;
  const size_t series_max;

  mutable std::mutex mutex;
  // Guarded by mutex.
  std::vector<std::unique_ptr<Series>> owned;
  std::vector<const SeriesData*> all;  // creation order
  std::unordered_map<std::string_view, Series*> by_text;  // views into the series' own text
  Series* other = nullptr;
  uint64_t overflow = 0;
};

// A series that is out of the exposition, until no worker can write it any more.
struct RetiredSeries {
  Family* family = nullptr;
  std::unique_ptr<Series> series;
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
    return family.impl_->all;
  }

  void Retire(Family& family, uint32_t sweep_epoch, double now_s, uint64_t next);
  void FreeReleased();
  [[nodiscard]] bool TakeBackIfWritten(RetiredSeries& gone);

  const RegistryOptions options;
  std::vector<CellArena> arenas;
  std::vector<Entry> entries;

  // Expiry; see series_expiry.cc.
  std::mutex scrape_mutex;  // scrapes and sweeps: what a scrape prints is not freed under it
  std::atomic<uint32_t> epoch{1};
  std::atomic<uint64_t> generation{0};
  std::vector<std::atomic<uint64_t>> released;  // per worker
  std::vector<RetiredSeries> retired;           // guarded by scrape_mutex
  std::mutex returned_mutex;
  std::vector<std::vector<MemoryBlock>> returned;  // per worker, guarded by returned_mutex
};

}  // namespace gw::metrics
