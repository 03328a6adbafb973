// Counters, gauges and histograms: written by the loops without a lock, read by a scrape.
//
// A Family owns its name, help, label names and series. A Series is one label set; its text
// `{a="x",b="y"}` is rendered once, at creation. Each series has one cell per worker thread; a
// worker writes only its own cell (relaxed load + store, no read-modify-write), the scrape sums.
// Creating a series takes the family's mutex (slow path, once per label set); writing never does.
// Series live as long as the registry. Beyond `series_max` new label sets share one series whose
// labels are all "other" (counters, histograms) or are dropped (gauges).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gw::metrics {

enum class Type : uint8_t { kCounter, kGauge, kHistogram };

struct FamilySpec {
  std::string name;                    // declared name: a counter without the added "_total"
  std::string help;
  Type type = Type::kCounter;
  std::vector<std::string> labels;     // declared order; printed sorted
  std::vector<double> bounds;          // histogram upper bounds without +Inf
};

class Family;

class Series {
 public:
  void Add(uint32_t worker, double v);      // counter
  void Observe(uint32_t worker, double v);  // histogram
  void Set(double v);                       // gauge: last write wins, any thread
  [[nodiscard]] double Value() const;       // counter: sum over workers; gauge: value

 private:
  friend class Family;
  friend class Registry;
  struct Impl;
  explicit Series(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;

 public:
  ~Series();
};

class Family {
 public:
  // The series with these label values (in declared order). Never null except for a gauge beyond
  // the cap. Thread-safe; callers cache the pointer.
  [[nodiscard]] Series* With(std::span<const std::string_view> label_values);
  [[nodiscard]] const FamilySpec& spec() const;
  [[nodiscard]] size_t series_count() const;
  [[nodiscard]] uint64_t overflow_count() const;
  ~Family();

 private:
  friend class Registry;
  struct Impl;
  explicit Family(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct RegistryOptions {
  uint32_t workers = 1;
  size_t series_per_family_max = 50'000;
  bool created_series = true;  // <base>_created samples
};

enum class ExpositionFormat : uint8_t { kText004, kText100, kOpenMetrics };

class Registry {
 public:
  explicit Registry(const RegistryOptions& options);
  ~Registry();
  // Registration order is exposition order. Before the threads start.
  Family* Add(FamilySpec spec);
  // A family computed at scrape: `collect` calls emit(label_values, value) for each sample.
  using Emit = std::function<void(std::span<const std::string_view>, double)>;
  void AddCollected(FamilySpec spec, std::function<void(const Emit&)> collect);
  // Appends the exposition. `names`: sample names asked by ?name[]=, empty = all.
  void Render(ExpositionFormat format, std::span<const std::string> names, std::string& out) const;
  // The families in order, for docs and the golden list.
  [[nodiscard]] std::vector<const FamilySpec*> specs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The format and content type for an Accept header (metrics facts 1.2).
struct NegotiatedFormat {
  ExpositionFormat format;
  std::string content_type;
};
[[nodiscard]] NegotiatedFormat Negotiate(std::string_view accept);

}  // namespace gw::metrics
