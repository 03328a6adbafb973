// Which series does an event with these labels touch? One worker's memory of the answer.
//
// An event joins its label views to a key; a hit compares the whole key, so two label sets never
// mix. The value remembers, per family, the series or that a full gauge family has none. Owned by
// one worker thread; bounded: when full it starts anew, series themselves stay in the registry.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/limits.h"
#include "metrics/label_choice.h"
#include "metrics/label_text.h"
#include "metrics/litellm_families.h"

namespace gw::metrics {

inline constexpr size_t kCachedLabelSetsMax = 4096;

// The series of one label set.
struct SeriesSet {
  static_assert(kFamilyIds <= 64);
  std::array<Series*, kFamilyIds> series{};
  uint64_t resolved = 0;  // bit per family: `series` is valid, maybe null
};

// Joins views: cut like label values, each behind its length, so that ("a","bc") != ("ab","c").
class CacheKey {
 public:
  static constexpr size_t kViewsMax = 25 + kMetadataLabelsMax;

  void Append(std::string_view view) {
    view = CutLabelValue(view);
    const auto length = static_cast<uint16_t>(view.size());
    std::memcpy(buffer_.data() + size_, &length, sizeof(length));
    size_ += sizeof(length);
    if (!view.empty()) std::memcpy(buffer_.data() + size_, view.data(), view.size());
    size_ += view.size();
  }
  [[nodiscard]] std::string_view text() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, kViewsMax*(limits::kLabelValueBytesMax + sizeof(uint16_t))> buffer_;
  size_t size_ = 0;
};

class SeriesCache {
 public:
  // The set of `key`, empty when it is new. Valid until the next call.
  [[nodiscard]] SeriesSet& Find(const CacheKey& key) {
    const auto found = sets_.find(key.text());
    if (found != sets_.end()) return found->second;
    if (sets_.size() >= kCachedLabelSetsMax) sets_.clear();
    return sets_[std::string(key.text())];
  }
  [[nodiscard]] size_t size() const { return sets_.size(); }
  void Clear() { sets_.clear(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, SeriesSet, Hash, std::equal_to<>> sets_;
};

}  // namespace gw::metrics
