#include "metrics/series_data.h"

#include <algorithm>
#include <utility>

namespace gw::metrics {
namespace {
constexpr size_t kBlockWords = 2048;  // 16 KiB
}

Word* CellArena::Allocate(size_t words) {
  if (words > left_) {
    const size_t size = std::max(words, kBlockWords);
    blocks_.push_back(std::make_unique<Word[]>(size));
    next_ = blocks_.back().get();
    left_ = size;
  }
  Word* cell = next_;
  next_ += words;
  left_ -= words;
  return cell;
}

SeriesData::SeriesData(const FamilyShape& family_shape, LabelText label_text,
                       double created_unix_s)
    : shape(family_shape),
      cells(std::make_unique<std::atomic<Word*>[]>(family_shape.arenas.size())),
      labels(std::move(label_text)),
      created_s(created_unix_s) {}

Word* SeriesData::MakeCell(uint32_t worker) {
  Word* cell = shape.arenas[worker].Allocate(shape.WordsPerCell());
  cells[worker].store(cell, std::memory_order_release);
  return cell;
}

double SeriesData::Sum() const {
  double sum = 0;
  for (size_t i = 0; i < shape.arenas.size(); ++i) {
    const Word* cell = cells[i].load(std::memory_order_acquire);
    if (cell != nullptr) sum += std::bit_cast<double>(cell->load(std::memory_order_relaxed));
  }
  return sum;
}

void SeriesData::ReadBuckets(std::vector<uint64_t>& counts) const {
  counts.assign(shape.bounds.size() + 1, 0);
  for (size_t i = 0; i < shape.arenas.size(); ++i) {
    const Word* cell = cells[i].load(std::memory_order_acquire);
    if (cell == nullptr) continue;
    for (size_t b = 0; b < counts.size(); ++b) {
      counts[b] += cell[b + 1].load(std::memory_order_relaxed);
    }
  }
}

}  // namespace gw::metrics
