// How do series go that nobody writes any more, while workers still hold pointers to them?
//
//   Sweep (scrape thread)      finds idle series, takes them out of their family, raises the generation
//   Release (each worker)      has dropped its pointers of before
//   next Sweep                 once all workers have released: frees the series
//
// Nothing is asked of the path of a request but one comparison of epochs per write, and only with expiry
// on. A write through an old pointer is not lost: before a series is freed its numbers are compared with
// those it had when it was taken out, and it comes back, or its successor gets the difference.
#include <algorithm>
#include <bit>
#include <limits>

#include "metrics/registry_impl.h"

namespace gw::metrics {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

[[nodiscard]] bool HasEndUser(std::string_view labels) {
  constexpr std::string_view kLabel = "end_user=\"";
  const size_t at = labels.find(kLabel);
  return at != std::string_view::npos && !labels.substr(at + kLabel.size()).starts_with("None\"");
}

// The longest a series may be idle; infinity: for ever.
[[nodiscard]] double IdleMax(const Expiry& expiry, bool has_end_user) {
  double most = std::numeric_limits<double>::infinity();
  if (expiry.idle_s_max > 0) most = expiry.idle_s_max;
  if (has_end_user && expiry.end_user_idle_s_max > 0) most = std::min(most, expiry.end_user_idle_s_max);
  return most;
}

// Positions of the series to take out; notes on each when it was last in use.
[[nodiscard]] std::vector<size_t> FindIdle(std::span<const SeriesPtr> all, const Expiry& expiry, uint32_t epoch,
                                           double now_s) {
  std::vector<size_t> idle;
  std::vector<size_t> end_users;
  for (size_t i = 0; i < all.size(); ++i) {
    SeriesData& series = *all[i];
    if (series.touched.load(kRelaxed) >= epoch || series.last_seen_s < 0) series.last_seen_s = now_s;
    const bool has_end_user = HasEndUser(series.label_text());
    if (now_s - series.last_seen_s > IdleMax(expiry, has_end_user)) {
      idle.push_back(i);
    } else if (has_end_user) {
      end_users.push_back(i);
    }
  }
  if (expiry.end_user_series_max == 0 || end_users.size() <= expiry.end_user_series_max) return idle;
  const auto surplus = static_cast<std::ptrdiff_t>(end_users.size() - expiry.end_user_series_max);
  std::nth_element(end_users.begin(), end_users.begin() + surplus, end_users.end(),
                   [&](size_t a, size_t b) { return all[a]->last_seen_s < all[b]->last_seen_s; });
  idle.insert(idle.end(), end_users.begin(), end_users.begin() + surplus);
  std::sort(idle.begin(), idle.end());
  return idle;
}

}  // namespace

uint64_t Registry::generation() const { return impl_->generation.load(std::memory_order_acquire); }

size_t Registry::arena_bytes() const {
  size_t bytes = 0;
  for (const CellArena& arena : impl_->arenas) bytes += arena.bytes();
  return bytes;
}

void Registry::Release(uint32_t worker, uint64_t generation) {
  impl_->released[worker].store(generation, std::memory_order_release);
  std::vector<MemoryBlock> blocks;
  {
    const std::lock_guard lock(impl_->returned_mutex);
    blocks.swap(impl_->returned[worker]);
  }
  for (const MemoryBlock& block : blocks) impl_->arenas[worker].TakeBack(block);
}

void Registry::Sweep(double now_s) {
  const std::lock_guard lock(impl_->scrape_mutex);
  impl_->FreeReleased();
  // Writes during the sweep count for the next one.
  const uint32_t epoch = impl_->epoch.fetch_add(1, kRelaxed);
  const uint64_t next = impl_->generation.load(kRelaxed) + 1;
  const size_t before = impl_->retired.size();
  for (const Impl::Entry& entry : impl_->entries) {
    const auto* family = std::get_if<std::unique_ptr<Family>>(&entry);
    if (family == nullptr || (*family)->impl_->shape.epoch == nullptr) continue;
    impl_->Retire(**family, epoch, now_s, next);
  }
  if (impl_->retired.size() != before) impl_->generation.store(next, std::memory_order_release);
}

void Registry::Impl::Retire(Family& family, uint32_t sweep_epoch, double now_s, uint64_t next) {
  Family::Impl& f = *family.impl_;
  const std::lock_guard lock(f.mutex);
  const std::vector<size_t> idle = FindIdle(f.owned, options.expiry, sweep_epoch, now_s);
  if (idle.empty()) return;
  // No memory is asked for between taking a series out and keeping it: workers may still hold it.
  retired.reserve(retired.size() + idle.size());
  for (const size_t at : idle) {
    SeriesData& data = *f.owned[at];
    RetiredSeries gone;
    gone.family = &family;
    gone.generation = next;
    gone.sum = data.Value();
    if (data.shape.type == Type::kHistogram) data.ReadBuckets(gone.counts);
    f.by_text.erase(&data);
    if (f.other == &data) f.other = nullptr;
    gone.series = std::move(f.owned[at]);
    retired.push_back(std::move(gone));
  }
  std::erase(f.owned, nullptr);
}

void Registry::Impl::FreeReleased() {
  uint64_t oldest = std::numeric_limits<uint64_t>::max();
  for (const std::atomic<uint64_t>& one : released) oldest = std::min(oldest, one.load(std::memory_order_acquire));
  const auto waiting = std::partition(retired.begin(), retired.end(),
                                      [&](const RetiredSeries& gone) { return gone.generation > oldest; });
  while (retired.end() != waiting) {
    RetiredSeries& gone = retired.back();
    if (!TakeBackIfWritten(gone)) {
      const SeriesData& data = *gone.series;
      const std::lock_guard lock(returned_mutex);
      for (uint32_t worker = 0; worker < returned.size(); ++worker) data.CollectBlocks(worker, returned[worker]);
    }
    retired.pop_back();
  }
}

// True when the series is back in its family.
bool Registry::Impl::TakeBackIfWritten(RetiredSeries& gone) {
  SeriesData& data = *gone.series;
  std::vector<uint64_t> counts;
  if (data.shape.type == Type::kHistogram) data.ReadBuckets(counts);
  const double value = data.Value();
  if (std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(gone.sum) && counts == gone.counts) return false;
  Family::Impl& f = *gone.family->impl_;
  const std::lock_guard lock(f.mutex);
  SeriesData* successor = f.Find(SeriesEqual::KeyOf(data));
  if (successor == nullptr) {
    data.last_seen_s = -1;  // in use, whichever sweep it was written before: not to be taken out again at once
    f.Take(gone.series);
    return true;
  }
  if (data.shape.type == Type::kGauge) return false;  // the successor's value is the younger one
  // The last writer's cells: the caller sees to it that nobody else writes with its number.
  Word* cell = successor->CellOf(static_cast<uint32_t>(arenas.size() - 1));
  AddToDouble(cell[0], value - gone.sum);
  for (size_t i = 0; i < counts.size(); ++i) {
    for (uint64_t n = gone.counts[i]; n < counts[i]; ++n) AddToCount(cell[1 + i]);
  }
  return false;
}

}  // namespace gw::metrics
