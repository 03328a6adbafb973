#include "metrics/series_data.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <new>

namespace gw::metrics {
namespace {
constexpr size_t kBlockWords = 2048;  // 16 KiB
}

void CellArena::TakeBack(const MemoryBlock& block) {
  for (size_t i = 0; i < block.count; ++i) block.words[i].store(0, std::memory_order_relaxed);
  free_[block.count].push_back(block.words);
}

Word* CellArena::Allocate(size_t words) {
  if (!free_.empty()) [[unlikely]] {
    const auto found = free_.find(words);
    if (found != free_.end() && !found->second.empty()) {
      Word* block = found->second.back();
      found->second.pop_back();
      return block;
    }
  }
  if (words > left_) {
    const size_t size = std::max(words, kBlockWords);
    blocks_.push_back(std::make_unique<Word[]>(size));
    next_ = blocks_.back().get();
    left_ = size;
    bytes_ += size * sizeof(Word);
  }
  Word* cell = next_;
  next_ += words;
  left_ -= words;
  return cell;
}

void SeriesDeleter::operator()(SeriesData* series) const {
  series->~SeriesData();
  ::operator delete(series);
}

uint32_t SeriesData::HashOf(std::string_view label_text) {
  return static_cast<uint32_t>(std::hash<std::string_view>{}(label_text));
}

SeriesPtr SeriesData::Make(const FamilyShape& shape, const LabelText& labels, uint32_t text_hash,
                           double created_unix_s) {
  const size_t slots = shape.SlotsPerSeries();
  void* block = ::operator new(sizeof(SeriesData) + slots * sizeof(Word) + labels.text.size());
  SeriesPtr series(new (block) SeriesData(shape, labels, text_hash, created_unix_s));
  std::uninitialized_value_construct_n(series->slots(), slots);
  char* text = reinterpret_cast<char*>(series->slots() + slots);
  std::copy(labels.text.begin(), labels.text.end(), text);
  return series;
}

SeriesData::SeriesData(const FamilyShape& family_shape, const LabelText& labels, uint32_t hash, double created_unix_s)
    : shape(family_shape),
      text_hash(hash),
      text_bytes(static_cast<uint32_t>(labels.text.size())),
      le_offset(static_cast<uint32_t>(labels.le_at)),
      created_s(created_unix_s) {
  Touch();
}

double SeriesData::Value() const {
  if (shape.type == Type::kGauge) return std::bit_cast<double>(slots()[0].load(std::memory_order_relaxed));
  return Sum();
}

Word* SeriesData::MakeCell(uint32_t worker) {
  Word* cell = shape.arenas[worker].Allocate(shape.WordsPerCell());
  slots()[worker].store(reinterpret_cast<uint64_t>(cell), std::memory_order_release);
  return cell;
}

double SeriesData::Sum() const {
  double sum = 0;
  for (size_t i = 0; i < shape.arenas.size(); ++i) {
    const Word* cell = CellSeen(i);
    if (cell != nullptr) sum += std::bit_cast<double>(cell->load(std::memory_order_relaxed));
  }
  return sum;
}

void SeriesData::ReadBuckets(std::vector<uint64_t>& counts) const {
  counts.assign(shape.bounds.size() + 1, 0);
  for (size_t i = 0; i < shape.arenas.size(); ++i) {
    const Word* cell = CellSeen(i);
    if (cell == nullptr) continue;
    for (size_t b = 0; b < counts.size(); ++b) {
      counts[b] += cell[b + 1].load(std::memory_order_relaxed);
    }
  }
}

bool SeriesData::ReadExemplars(std::vector<Exemplar>& exemplars) const {
  exemplars.clear();
  for (size_t i = 0; i < shape.arenas.size(); ++i) {
    const Word* cell = CellSeen(i);
    if (cell == nullptr) continue;
    const auto* table = reinterpret_cast<const Word*>(cell[shape.exemplars_at()].load(std::memory_order_acquire));
    if (table == nullptr) continue;
    exemplars.resize(shape.bounds.size() + 1);
    for (size_t bucket = 0; bucket < exemplars.size(); ++bucket) {
      const auto* slot = reinterpret_cast<const Word*>(table[bucket].load(std::memory_order_acquire));
      if (slot != nullptr) ReadYoungerExemplar(slot, exemplars[bucket]);
    }
  }
  return !exemplars.empty();
}

void SeriesData::CollectBlocks(uint32_t worker, std::vector<MemoryBlock>& blocks) const {
  if (shape.type == Type::kGauge) return;  // its slot is the value
  auto* cell = const_cast<Word*>(CellSeen(worker));
  if (cell == nullptr) return;
  blocks.push_back({cell, shape.WordsPerCell()});
  if (shape.type != Type::kHistogram) return;
  CollectNativeBlocks(cell[shape.native_at()], blocks);
  auto* table = reinterpret_cast<Word*>(cell[shape.exemplars_at()].load(std::memory_order_acquire));
  if (table == nullptr) return;
  blocks.push_back({table, shape.bounds.size() + 1});
  for (size_t bucket = 0; bucket <= shape.bounds.size(); ++bucket) {
    auto* slot = reinterpret_cast<Word*>(table[bucket].load(std::memory_order_acquire));
    if (slot != nullptr) blocks.push_back({slot, kExemplarWords});
  }
}

void SeriesData::ReadNative(NativeCounts& sum) const {
  for (size_t i = 0; i < shape.arenas.size(); ++i) {
    const Word* cell = CellSeen(i);
    if (cell != nullptr) AddNative(cell[shape.native_at()], sum);
  }
}

namespace {
// The block that `pointer` names, made when it names none.
[[nodiscard]] Word* BlockAt(Word& pointer, CellArena& arena, size_t words) {
  if (const uint64_t made = pointer.load(std::memory_order_relaxed)) return reinterpret_cast<Word*>(made);
  Word* block = arena.Allocate(words);
  pointer.store(reinterpret_cast<uint64_t>(block), std::memory_order_release);
  return block;
}
}  // namespace

void SeriesData::KeepExemplar(uint32_t worker, size_t bucket, const ExemplarId& exemplar, double value) {
  CellArena& arena = shape.arenas[worker];
  Word* table = BlockAt(CellOf(worker)[shape.exemplars_at()], arena, shape.bounds.size() + 1);
  WriteExemplar(BlockAt(table[bucket], arena, kExemplarWords), exemplar, value);
}

}  // namespace gw::metrics
