#include "metrics/registry.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <variant>

#include "base/limits.h"
#include "metrics/exposition.h"
#include "metrics/label_text.h"
#include "metrics/protobuf_exposition.h"
#include "metrics/registry_impl.h"
#include "metrics/series_data.h"

namespace gw::metrics {
namespace {

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

void Series::Add(uint32_t worker, double v) {
  // Counters never fall; also drops NaN.
  if (!(v >= 0)) return;
  auto& data = static_cast<SeriesData&>(*this);
  data.Touch();
  AddToDouble(*data.CellOf(worker), v);
}

void Series::Observe(uint32_t worker, double v, const ExemplarId& exemplar) {
  if (std::isnan(v)) return;
  auto& data = static_cast<SeriesData&>(*this);
  data.Touch();
  const FamilyShape& shape = data.shape;
  const auto bucket = std::lower_bound(shape.bounds.begin(), shape.bounds.end(), v) - shape.bounds.begin();
  Word* cell = data.CellOf(worker);
  AddToDouble(cell[0], v);
  AddToCount(cell[1 + bucket]);
  if (!exemplar.id.empty()) data.KeepExemplar(worker, static_cast<size_t>(bucket), exemplar, v);
  if (shape.native) ObserveNative(cell[shape.native_at()], shape.arenas[worker], v);
}

void Series::Set(double v) {
  const uint64_t bits = std::bit_cast<uint64_t>(v);
  auto& data = static_cast<SeriesData&>(*this);
  data.Touch();
  // Most gauges repeat their value; reading keeps the cache line shared between workers.
  if (data.gauge().load(std::memory_order_relaxed) == bits) return;
  data.gauge().store(bits, std::memory_order_relaxed);
}

double Series::Value() const { return static_cast<const SeriesData&>(*this).Value(); }

Family::Family(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Family::~Family() = default;

Series* Family::With(std::span<const std::string_view> label_values) {
  LabelText labels;
  impl_->order.Render(label_values, labels);
  const uint32_t hash = SeriesData::HashOf(labels.text);
  const std::lock_guard lock(impl_->mutex);
  if (SeriesData* found = impl_->Find({labels.text, hash})) return found;
  if (impl_->owned.size() >= impl_->series_max) return impl_->Overflow();
  return impl_->MakeSeries(labels, hash);
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

Registry::Registry(const RegistryOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Registry::~Registry() = default;

Family* Registry::Add(FamilySpec spec) {
  auto impl = std::make_unique<Family::Impl>(
      Normalize(std::move(spec)), impl_->options, impl_->arenas, impl_->epoch);
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

void Registry::Render(ExpositionFormat format, std::span<const std::string> names, std::string& out,
                      const Take& take) const {
  const std::lock_guard lock(impl_->scrape_mutex);
  // Grown by doubling, a text of megabytes would be copied again and again, and its pages be made twice.
  size_t& last_bytes = impl_->last_bytes[static_cast<size_t>(format)];
  const bool is_whole = names.empty() && !take;
  if (is_whole) out.reserve(out.size() + last_bytes + last_bytes / 16);
  const size_t begin = out.size();
  if (format == ExpositionFormat::kProtobuf) {
    RenderProtobuf(names, out, take);
  } else {
    RenderText(format, names, out, take);
  }
  if (is_whole) last_bytes = out.size() - begin;
}

void Registry::RenderText(ExpositionFormat format, std::span<const std::string> names, std::string& out,
                          const Take& take) const {
  const RenderOptions options{format, names, impl_->options.created_series, take};
  const RenderOptions legacy{format, names, false, take};
  for (const Impl::Entry& entry : impl_->entries) {
    if (const auto* family = std::get_if<std::unique_ptr<Family>>(&entry)) {
      const FamilySpec& spec = (*family)->spec();
      const std::vector<const SeriesData*> series = Impl::SeriesOf(**family);
      RenderFamily(spec, series, options, out);
      for (const FamilySpec& older : LegacySpecsOf(spec, format)) RenderFamily(older, series, legacy, out);
    } else {
      const auto& collected = std::get<Impl::Collected>(entry);
      RenderCollected(collected.spec, collected.collect, options, out);
      for (const FamilySpec& older : LegacySpecsOf(collected.spec, format)) {
        RenderCollected(older, collected.collect, legacy, out);
      }
    }
  }
  if (format == ExpositionFormat::kOpenMetrics) out += "# EOF\n";
}

void Registry::RenderProtobuf(std::span<const std::string> names, std::string& out, const Take& take) const {
  const RenderOptions options{ExpositionFormat::kProtobuf, names, impl_->options.created_series, take};
  const auto with_older = [](const FamilySpec& spec) {
    std::vector<FamilySpec> specs = LegacySpecsOf(spec, ExpositionFormat::kProtobuf);
    specs.insert(specs.begin(), spec);
    return specs;
  };
  for (const Impl::Entry& entry : impl_->entries) {
    if (const auto* family = std::get_if<std::unique_ptr<Family>>(&entry)) {
      const std::vector<const SeriesData*> series = Impl::SeriesOf(**family);
      for (const FamilySpec& spec : with_older((*family)->spec())) AppendFamilyProtobuf(spec, series, options, out);
    } else {
      const auto& collected = std::get<Impl::Collected>(entry);
      for (const FamilySpec& spec : with_older(collected.spec)) {
        AppendCollectedProtobuf(spec, collected.collect, options, out);
      }
    }
  }
}

void Registry::Visit(Visitor& visitor) const {
  const std::lock_guard lock(impl_->scrape_mutex);
  for (const Impl::Entry& entry : impl_->entries) {
    if (const auto* family = std::get_if<std::unique_ptr<Family>>(&entry)) {
      visitor.OnFamily((*family)->spec(), Impl::SeriesOf(**family));
    } else {
      const auto& collected = std::get<Impl::Collected>(entry);
      visitor.OnSamples(collected.spec, CollectSamples(collected.spec, collected.collect));
    }
  }
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
