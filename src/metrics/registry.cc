#include "metrics/registry.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <variant>

#include "base/limits.h"
#include "metrics/exposition.h"
#include "metrics/label_text.h"
#include "metrics/series_data.h"

namespace gw::metrics {
namespace {

[[nodiscard]] double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

[[nodiscard]] FamilySpec Normalize(FamilySpec spec) {
  constexpr std::string_view kTotal = "_total";
  if (spec.type == Type::kCounter && spec.name.ends_with(kTotal)) {
    spec.name.resize(spec.name.size() - kTotal.size());
  }
  std::erase_if(spec.bounds, [](double bound) { return !std::isfinite(bound); });
  std::sort(spec.bounds.begin(), spec.bounds.end());
  spec.bounds.erase(std::unique(spec.bounds.begin(), spec.bounds.end()), spec.bounds.end());
  return spec;
}

}  // namespace

struct Series::Impl : SeriesData {
  using SeriesData::SeriesData;
};

Series::Series(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Series::~Series() = default;

void Series::Add(uint32_t worker, double v) {
  // Counters never fall; also drops NaN.
  if (!(v >= 0)) return;
  AddToDouble(*impl_->CellOf(worker), v);
}

void Series::Observe(uint32_t worker, double v) {
  if (std::isnan(v)) return;
  const std::vector<double>& bounds = impl_->shape.bounds;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), v) - bounds.begin();
  Word* cell = impl_->CellOf(worker);
  AddToDouble(cell[0], v);
  AddToCount(cell[1 + bucket]);
}

void Series::Set(double v) {
  const uint64_t bits = std::bit_cast<uint64_t>(v);
  // Most gauges repeat their value; reading keeps the cache line shared between workers.
  if (impl_->gauge_bits.load(std::memory_order_relaxed) == bits) return;
  impl_->gauge_bits.store(bits, std::memory_order_relaxed);
}

double Series::Value() const {
  if (impl_->shape.type == Type::kGauge) {
    return std::bit_cast<double>(impl_->gauge_bits.load(std::memory_order_relaxed));
  }
  return impl_->Sum();
}

struct Family::Impl {
  Impl(FamilySpec family_spec, size_t max, std::span<CellArena> arenas)
      : spec(std::move(family_spec)),
        shape{spec.type, spec.bounds, arenas},
        order(spec.labels),
        series_max(max > 0 ? max : limits::kSeriesPerFamilyMax) {}

  [[nodiscard]] Series* MakeSeries(LabelText labels) {
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

Family::Family(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Family::~Family() = default;

Series* Family::With(std::span<const std::string_view> label_values) {
  LabelText labels;
  impl_->order.Render(label_values, labels);
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->by_text.find(labels.text);
  if (found != impl_->by_text.end()) return found->second;
  if (impl_->owned.size() >= impl_->series_max) return impl_->Overflow();
  return impl_->MakeSeries(std::move(labels));
}

const FamilySpec& Family::spec() const { return impl_->spec; }

size_t Family::series_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->owned.size();
}

uint64_t Family::overflow_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->overflow;
}

struct Registry::Impl {
  struct Collected {
    FamilySpec spec;
    std::function<void(const Emit&)> collect;
  };
  using Entry = std::variant<std::unique_ptr<Family>, Collected>;

  explicit Impl(const RegistryOptions& registry_options)
      : options(registry_options), arenas(std::max(1U, registry_options.workers)) {}

  // The pointers of `family` at this moment; series made later wait for the next scrape.
  [[nodiscard]] static std::vector<const SeriesData*> SeriesOf(const Family& family) {
    const std::lock_guard lock(family.impl_->mutex);
    return family.impl_->all;
  }

  const RegistryOptions options;
  std::vector<CellArena> arenas;
  std::vector<Entry> entries;
};

Registry::Registry(const RegistryOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Registry::~Registry() = default;

Family* Registry::Add(FamilySpec spec) {
  auto impl = std::make_unique<Family::Impl>(
      Normalize(std::move(spec)), impl_->options.series_per_family_max, impl_->arenas);
  auto family = std::unique_ptr<Family>(new Family(std::move(impl)));
  Family* added = family.get();
  // A family without labels is its own series and shows 0 from the start.
  if (added->spec().labels.empty()) (void)added->With({});
  impl_->entries.emplace_back(std::move(family));
  return added;
}

void Registry::AddCollected(FamilySpec spec, std::function<void(const Emit&)> collect) {
  impl_->entries.emplace_back(Impl::Collected{Normalize(std::move(spec)), std::move(collect)});
}

void Registry::Render(ExpositionFormat format, std::span<const std::string> names,
                      std::string& out) const {
  const RenderOptions options{format, names, impl_->options.created_series};
  for (const Impl::Entry& entry : impl_->entries) {
    if (const auto* family = std::get_if<std::unique_ptr<Family>>(&entry)) {
      RenderFamily((*family)->spec(), Impl::SeriesOf(**family), options, out);
    } else {
      const auto& collected = std::get<Impl::Collected>(entry);
      RenderCollected(collected.spec, collected.collect, options, out);
    }
  }
  if (format == ExpositionFormat::kOpenMetrics) out += "# EOF\n";
}

std::vector<const FamilySpec*> Registry::specs() const {
  std::vector<const FamilySpec*> specs;
  for (const Impl::Entry& entry : impl_->entries) {
    if (const auto* family = std::get_if<std::unique_ptr<Family>>(&entry)) {
      specs.push_back(&(*family)->spec());
    } else {
      specs.push_back(&std::get<Impl::Collected>(entry).spec);
    }
  }
  return specs;
}

}  // namespace gw::metrics
