#include "metrics/exposition.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/strings.h"

namespace gw::metrics {
namespace {

[[nodiscard]] std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
    case Type::kUntyped:
      break;
  }
  return "untyped";
}

// 1234567.5 -> "1.2345675e+06" from its repr and the place of its point.
void AppendWithExponent(std::string& out, std::string_view repr, size_t dot) {
  std::string mantissa;
  mantissa += repr[0];
  mantissa += '.';
  mantissa += repr.substr(1, dot - 1);
  mantissa += repr.substr(dot + 1);
  while (mantissa.back() == '0' || mantissa.back() == '.') mantissa.pop_back();
  out += mantissa;
  out += dot - 1 < 10 ? "e+0" : "e+";
  out += std::to_string(dot - 1);
}

// One sample name of a family, and whether the caller asked for it.
struct SampleName {
  SampleName(const FamilySpec& spec, std::string_view suffix, const RenderOptions& options)
      : text(spec.name + std::string(suffix)),
        wanted(options.names.empty() ||
               std::find(options.names.begin(), options.names.end(), text) !=
                   options.names.end()) {}
  std::string text;
  bool wanted;
};

class FamilyWriter {
 public:
  FamilyWriter(const FamilySpec& spec, const RenderOptions& options, std::string& out)
      : spec_(spec),
        options_(options),
        out_(out),
        value_(spec, spec.type == Type::kCounter ? "_total" : "", options),
        bucket_(spec, "_bucket", options),
        count_(spec, "_count", options),
        sum_(spec, "_sum", options),
        created_(spec, "_created", options) {
    for (const double bound : spec.bounds) AddBound(bound);
    if (spec.type == Type::kHistogram) AddBound(std::numeric_limits<double>::infinity());
    if (options.names.empty()) WriteHead();
  }

  void WriteSeries(const SeriesData& series) {
    switch (spec_.type) {
      case Type::kCounter:
      case Type::kUntyped:
        WriteSample(value_, series.label_text(), series.Sum());
        break;
      case Type::kGauge:
        WriteSample(value_, series.label_text(), series.Value());
        break;
      case Type::kHistogram:
        WriteHistogram(series);
        break;
    }
    if (is_openmetrics() && has_created()) {
      WriteSample(created_, series.label_text(), series.created_s);
    }
  }

  // The text formats' separate family, after all series.
  void WriteCreatedFamily(std::span<const SeriesData* const> series) {
    if (is_openmetrics() || !has_created() || !created_.wanted || series.empty()) return;
    WriteHeadOf(created_.text, "gauge");
    is_head_written_ = true;
    for (const SeriesData* one : series) {
      WriteSample(created_, one->label_text(), one->created_s);
      options_.OfferPiece(out_);
    }
  }

  void WriteCollected(std::string_view labels, double value) {
    WriteSample(value_, labels, value);
  }

 private:
  [[nodiscard]] bool is_openmetrics() const {
    return options_.format == ExpositionFormat::kOpenMetrics;
  }
  [[nodiscard]] bool has_created() const {
    return options_.created_series && (spec_.type == Type::kCounter || spec_.type == Type::kHistogram);
  }

  void AddBound(double bound) {
    std::string text = "le=\"";
    AppendNumber(text, bound);
    text += '"';
    le_texts_.push_back(std::move(text));
  }

  void WriteHeadOf(std::string_view name, std::string_view type) {
    out_ += "# HELP ";
    out_ += name;
    out_ += ' ';
    AppendHelp(out_, spec_.help, is_openmetrics());
    out_ += "\n# TYPE ";
    out_ += name;
    out_ += ' ';
    out_ += type;
    out_ += '\n';
  }

  void WriteHead() {
    is_head_written_ = true;
    WriteHeadOf(is_openmetrics() ? spec_.name : value_.text, TypeName(spec_.type));
  }

  void WriteSample(const SampleName& name, std::string_view labels, double value) {
    if (!name.wanted) return;
    if (!is_head_written_) WriteHead();
    out_ += name.text;
    if (!labels.empty()) {
      out_ += '{';
      out_ += labels;
      out_ += '}';
    }
    WriteValue(value);
  }

  void WriteBucket(const SeriesData& series, std::string_view le, double value, const Exemplar* exemplar) {
    if (!bucket_.wanted) return;
    if (!is_head_written_) WriteHead();
    const std::string_view text = series.label_text();
    const size_t le_at = series.le_at();
    out_ += bucket_.text;
    out_ += '{';
    out_ += text.substr(0, le_at);
    if (le_at == text.size() && !text.empty()) out_ += ',';
    out_ += le;
    if (le_at < text.size()) out_ += ',';
    out_ += text.substr(le_at);
    out_ += "} ";
    AppendNumber(out_, value);
    if (exemplar != nullptr && !exemplar->empty()) WriteExemplarText(*exemplar);
    out_ += '\n';
  }

  void WriteExemplarText(const Exemplar& exemplar) {
    out_ += " # {";
    out_ += exemplar.label();
    out_ += "=\"";
    out_ += exemplar.id;
    out_ += "\"} ";
    AppendNumber(out_, exemplar.value);
    // Not AppendNumber: its exponent would cut the milliseconds off.
    char time[32];
    const auto [end, error] =
        std::to_chars(time, time + sizeof(time), exemplar.time_unix_s, std::chars_format::fixed, 3);
    (void)error;  // seconds of a Unix time have ten digits
    out_ += ' ';
    out_.append(time, static_cast<size_t>(end - time));
  }

  void WriteHistogram(const SeriesData& series) {
    series.ReadBuckets(counts_);
    const bool has_exemplars = is_openmetrics() && series.ReadExemplars(exemplars_);
    uint64_t cumulative = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      cumulative += counts_[i];
      const Exemplar* exemplar = has_exemplars ? &exemplars_[i] : nullptr;
      WriteBucket(series, le_texts_[i], static_cast<double>(cumulative), exemplar);
    }
    // From the buckets, so that count and the +Inf bucket agree while a worker writes.
    WriteSample(count_, series.label_text(), static_cast<double>(cumulative));
    WriteSample(sum_, series.label_text(), series.Sum());
  }

  void WriteValue(double value) {
    out_ += ' ';
    AppendNumber(out_, value);
    out_ += '\n';
  }

  const FamilySpec& spec_;
  const RenderOptions& options_;
  std::string& out_;
  const SampleName value_, bucket_, count_, sum_, created_;
  std::vector<std::string> le_texts_;
  std::vector<uint64_t> counts_;
  std::vector<Exemplar> exemplars_;
  bool is_head_written_ = false;
};

}  // namespace

void AppendNumber(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  // Most samples are small whole numbers.
  if (value > 0 && value < 1e6 && value == std::floor(value)) {
    char digits[8];
    const auto [end, error] =
        std::to_chars(digits, digits + sizeof(digits), static_cast<uint32_t>(value));
    (void)error;  // six digits always fit
    out.append(digits, static_cast<size_t>(end - digits));
    out += ".0";
    return;
  }
  const size_t begin = out.size();
  AppendPythonFloat(out, value);
  const size_t dot = std::string_view(out).substr(begin).find('.');
  if (value > 0 && dot != std::string_view::npos && dot > 6) {
    const std::string repr = out.substr(begin);
    out.resize(begin);
    AppendWithExponent(out, repr, dot);
  }
}

void RenderFamily(const FamilySpec& spec, std::span<const SeriesData* const> series,
                  const RenderOptions& options, std::string& out) {
  FamilyWriter writer(spec, options, out);
  for (const SeriesData* one : series) {
    writer.WriteSeries(*one);
    options.OfferPiece(out);
  }
  writer.WriteCreatedFamily(series);
}

void RenderCollected(const FamilySpec& spec,
                     const std::function<void(const Registry::Emit&)>& collect,
                     const RenderOptions& options, std::string& out) {
  FamilyWriter writer(spec, options, out);
  for (const auto& [text, value] : CollectSamples(spec, collect)) writer.WriteCollected(text, value);
}

std::vector<std::pair<std::string, double>> CollectSamples(
    const FamilySpec& spec, const std::function<void(const Registry::Emit&)>& collect) {
  const LabelOrder order(spec.labels);
  LabelText labels;
  std::vector<std::pair<std::string, double>> samples;
  std::unordered_map<std::string, size_t> at;
  collect([&](std::span<const std::string_view> values, double value) {
    order.Render(values, labels);
    const auto [found, is_new] = at.try_emplace(labels.text, samples.size());
    if (is_new) {
      samples.emplace_back(labels.text, value);
    } else {
      double& kept = samples[found->second].second;
      kept = spec.type == Type::kCounter ? kept + value : value;
    }
  });
  return samples;
}

std::vector<FamilySpec> LegacySpecsOf(const FamilySpec& spec, ExpositionFormat format) {
  std::vector<FamilySpec> specs;
  const bool is_bare_legal = spec.bare_name && format == ExpositionFormat::kText004;
  const auto add_bare = [&](std::string name) {
    if (is_bare_legal) specs.push_back({std::move(name), spec.help, Type::kUntyped, spec.labels, {}, {}, false, false});
  };
  add_bare(spec.name);
  for (const std::string& name : spec.legacy_names) {
    specs.push_back({name, spec.help, spec.type, spec.labels, spec.bounds, {}, false, false});
    add_bare(name);
  }
  return specs;
}

}  // namespace gw::metrics
