// Counters, gauges and histograms: written by the loops without a lock, read by a scrape.
//
// A Family owns its name, help, label names and series. A Series is one label set; its text
// `{a="x",b="y"}` is rendered once, at creation. Each series has one cell per worker thread; a
// worker writes only its own cell (relaxed load + store, no read-modify-write), the scrape sums.
// Creating a series takes the family's mutex (slow path, once per label set); writing never does.
// Series live as long as the registry, unless they expire (RegistryOptions::expiry). Beyond `series_max` new label sets share one series whose
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
#include <utility>
#include <vector>

#include "metrics/exemplar.h"

namespace gw::metrics {

// kUntyped: a counter printed without "_total", for renderers only.
enum class Type : uint8_t { kCounter, kGauge, kHistogram, kUntyped };

struct FamilySpec {
  std::string name;                    // declared name: a counter without the added "_total"
  std::string help;
  Type type = Type::kCounter;
  std::vector<std::string> labels;     // declared order; printed sorted
  std::vector<double> bounds;          // histogram upper bounds without +Inf
  // Printed a second time under these, without _created.
  std::vector<std::string> legacy_names{};
  bool expires = false;                // RegistryOptions::expiry applies
  bool bare_name = false;              // counter: also without "_total", untyped, in text 0.0.4
};

class Family;
struct SeriesData;

// One label set's numbers; what they are made of stands in series_data.h.
class Series {
 public:
  Series(const Series&) = delete;
  Series& operator=(const Series&) = delete;

  void Add(uint32_t worker, double v);      // counter
  // Histogram. `exemplar`: of the request that was observed; without an id none is kept.
  void Observe(uint32_t worker, double v, const ExemplarId& exemplar = {});
  void Set(double v);                       // gauge: last write wins, any thread
  [[nodiscard]] double Value() const;       // counter: sum over workers; gauge: value

 protected:
  Series() = default;
  ~Series() = default;  // the family owns it, as SeriesData
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

// When does a series go that nobody writes any more? 0: never. Those with an end user have bounds of
// their own; beyond the number the ones that were written longest ago go.
struct Expiry {
  double idle_s_max = 0;
  double end_user_idle_s_max = 0;
  size_t end_user_series_max = 0;
  [[nodiscard]] bool is_on() const { return idle_s_max > 0 || end_user_idle_s_max > 0 || end_user_series_max > 0; }
  bool operator==(const Expiry&) const = default;
};

struct RegistryOptions {
  uint32_t workers = 1;
  size_t series_per_family_max = 50'000;
  bool created_series = true;  // <base>_created samples
  Expiry expiry{};
  bool native_histograms = false;  // sparse buckets beside the classic ones; for protobuf only
};

enum class ExpositionFormat : uint8_t { kText004, kText100, kOpenMetrics, kProtobuf };

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
  // `take`, when given, is called with the text so far each time that has grown beyond kPieceBytes, and empties
  // it; the last piece stays in `out`. (A family as protobuf is one piece.)
  using Take = std::function<void(std::string&)>;
  static constexpr size_t kPieceBytes = 256 * 1024;
  void Render(ExpositionFormat format, std::span<const std::string> names, std::string& out,
              const Take& take = {}) const;
  // For formats of others: every family in order, with what a scrape of this moment would see. Older
  // names are left out.
  class Visitor {
   public:
    virtual ~Visitor() = default;
    virtual void OnFamily(const FamilySpec& spec, std::span<const SeriesData* const> series) = 0;
    // Of a computed family: labels as in LabelText, value.
    virtual void OnSamples(const FamilySpec& spec, std::span<const std::pair<std::string, double>> samples) = 0;
  };
  void Visit(Visitor& visitor) const;
  // Takes idle series out of the exposition and frees what every worker has released since. Any thread,
  // one at a time, `now_s` rising. See series_expiry.cc.
  void Sweep(double now_s);
  // A worker that kept pointers to series from before has to drop them when this changes, and says so
  // with Release. On the worker's thread, between two events.
  [[nodiscard]] uint64_t generation() const;
  void Release(uint32_t worker, uint64_t generation);
  // Memory of all cells, used or free. While no worker writes.
  [[nodiscard]] size_t arena_bytes() const;
  // The families in order, for docs and the golden list.
  [[nodiscard]] std::vector<const FamilySpec*> specs() const;

 private:
  void RenderText(ExpositionFormat format, std::span<const std::string> names, std::string& out, const Take& take) const;
  void RenderProtobuf(std::span<const std::string> names, std::string& out, const Take& take) const;
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
