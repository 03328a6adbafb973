// One OTLP message, written as protobuf or as JSON by the same calls.
//
// Protobuf has field numbers, JSON names; each call takes both. JSON as the OTLP specification wants it: ids in
// hexadecimal, 64-bit integers as text, enums as numbers. Text that is not UTF-8 is cleaned, because a
// collector would refuse the whole batch for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/protobuf_writer.h"
#include "config/otel_settings.h"

namespace gw::telemetry {

using OtlpFormat = config::OtelProtocol;

struct OtlpField {
  uint32_t number;
  std::string_view name;
};

// Elements of a repeated field, each a message; also taken over as they were encoded before.
class OtlpList {
 public:
  OtlpList(OtlpFormat format, OtlpField field) : format_(format), field_(field) {}
  void Add(std::string_view message);  // OtlpWriter::Encoded()
  // Elements of another list of this field: its text().
  void Append(std::string_view elements);
  [[nodiscard]] const std::string& text() const { return text_; }
  void Clear() { text_.clear(); }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] size_t bytes() const { return text_.size(); }

 private:
  friend class OtlpWriter;
  const OtlpFormat format_;
  const OtlpField field_;
  std::string text_;
};

class OtlpWriter {
 public:
  explicit OtlpWriter(OtlpFormat format) : format_(format) {}

  void String(OtlpField field, std::string_view text);
  void Id(OtlpField field, std::span<const uint8_t> bytes);
  void Fixed64(OtlpField field, uint64_t value);
  void Fixed32(OtlpField field, uint32_t value);
  void Int64(OtlpField field, int64_t value);
  void Enum(OtlpField field, int value);
  void Bool(OtlpField field, bool value);
  void Double(OtlpField field, double value);
  void PackedFixed64(OtlpField field, std::span<const uint64_t> values);
  void PackedDouble(OtlpField field, std::span<const double> values);
  void Message(OtlpField field, const OtlpWriter& message) { Message(field, message.Encoded()); }
  void Message(OtlpField field, std::string_view encoded);
  void List(const OtlpList& list);  // nothing when it is empty

  // The message: what protobuf puts behind a length, or a JSON object.
  [[nodiscard]] std::string Encoded() const;

 private:
  [[nodiscard]] bool is_json() const { return format_ == OtlpFormat::kHttpJson; }
  void Name(OtlpField field);

  const OtlpFormat format_;
  ProtobufWriter protobuf_;
  std::string json_;  // members, a comma behind each
};

// Attributes: of resources, spans, events, log records, data points.
struct Attribute {
  using Value = std::variant<std::string, int64_t, double, bool, std::vector<std::string>>;
  std::string_view name;  // a literal, or of something that outlives it
  Value value;
};
using Attributes = std::vector<Attribute>;

[[nodiscard]] OtlpList EncodeAttributes(OtlpFormat format, OtlpField field, std::span<const Attribute> attributes);
// AnyValue with a text.
[[nodiscard]] OtlpWriter EncodeText(OtlpFormat format, std::string_view text);

}  // namespace gw::telemetry
