#include "telemetry/otlp_writer.h"

#include <cmath>

#include "base/json.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace gw::telemetry {
namespace {

void AppendHex(std::span<const uint8_t> bytes, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xF];
  }
}

// JSON knows no infinities; protobuf's JSON mapping writes them as text.
void AppendJsonDouble(std::string& out, double value) {
  if (std::isnan(value)) out += "\"NaN\"";
  else if (std::isinf(value)) out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  else AppendPythonFloat(out, value);
}

constexpr OtlpField kStringValue{1, "stringValue"}, kBoolValue{2, "boolValue"}, kIntValue{3, "intValue"},
    kDoubleValue{4, "doubleValue"}, kArrayValue{5, "arrayValue"};
constexpr OtlpField kKey{1, "key"}, kValue{2, "value"}, kValues{1, "values"};

struct ValueEncoder {
  OtlpFormat format;
  OtlpWriter operator()(const std::string& text) const { return EncodeText(format, text); }
  OtlpWriter operator()(int64_t number) const { return With(&OtlpWriter::Int64, kIntValue, number); }
  OtlpWriter operator()(double number) const { return With(&OtlpWriter::Double, kDoubleValue, number); }
  OtlpWriter operator()(bool flag) const { return With(&OtlpWriter::Bool, kBoolValue, flag); }
  OtlpWriter operator()(const std::vector<std::string>& texts) const {
    OtlpList values(format, kValues);
    for (const std::string& text : texts) values.Add(EncodeText(format, text).Encoded());
    OtlpWriter array(format), out(format);
    array.List(values);
    out.Message(kArrayValue, array);
    return out;
  }

 private:
  template <typename T>
  [[nodiscard]] OtlpWriter With(void (OtlpWriter::*write)(OtlpField, T), OtlpField field, T value) const {
    OtlpWriter out(format);
    (out.*write)(field, value);
    return out;
  }
};

}  // namespace

void OtlpList::Add(std::string_view message) {
  if (format_ == OtlpFormat::kHttpJson) {
    if (!text_.empty()) text_ += ',';
    text_ += message;
    return;
  }
  ProtobufWriter element;
  element.Bytes(field_.number, message);
  text_ += element.text();
}

void OtlpList::Append(std::string_view elements) {
  if (format_ == OtlpFormat::kHttpJson && !text_.empty() && !elements.empty()) text_ += ',';
  text_ += elements;
}

void OtlpWriter::Name(OtlpField field) {
  json_ += '"';
  json_ += field.name;
  json_ += "\":";
}

void OtlpWriter::String(OtlpField field, std::string_view text) {
  const std::string clean = CleanUtf8(text);
  if (!is_json()) return protobuf_.Bytes(field.number, clean);
  Name(field);
  json::AppendQuoted(json_, clean);
  json_ += ',';
}

void OtlpWriter::Id(OtlpField field, std::span<const uint8_t> bytes) {
  if (!is_json()) {
    return protobuf_.Bytes(field.number, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  Name(field);
  json_ += '"';
  AppendHex(bytes, json_);
  json_ += "\",";
}

void OtlpWriter::Fixed64(OtlpField field, uint64_t value) {
  if (!is_json()) return protobuf_.Fixed64(field.number, value);
  Name(field);
  json_ += '"' + std::to_string(value) + "\",";
}

void OtlpWriter::Fixed32(OtlpField field, uint32_t value) {
  if (!is_json()) return protobuf_.Fixed32(field.number, value);
  Name(field);
  json_ += std::to_string(value) + ',';
}

void OtlpWriter::Int64(OtlpField field, int64_t value) {
  if (!is_json()) return protobuf_.Varint(field.number, static_cast<uint64_t>(value));
  Name(field);
  json_ += '"' + std::to_string(value) + "\",";
}

void OtlpWriter::Enum(OtlpField field, int value) {
  if (!is_json()) return protobuf_.Varint(field.number, static_cast<uint64_t>(value));
  Name(field);
  json_ += std::to_string(value) + ',';
}

void OtlpWriter::Bool(OtlpField field, bool value) {
  if (!is_json()) return protobuf_.Varint(field.number, value ? 1 : 0);
  Name(field);
  json_ += value ? "true," : "false,";
}

void OtlpWriter::Double(OtlpField field, double value) {
  if (!is_json()) return protobuf_.Double(field.number, value);
  Name(field);
  AppendJsonDouble(json_, value);
  json_ += ',';
}

void OtlpWriter::PackedFixed64(OtlpField field, std::span<const uint64_t> values) {
  if (!is_json()) {
    std::string packed;
    for (const uint64_t value : values) ProtobufWriter::AppendFixed(packed, value, 8);
    return protobuf_.Bytes(field.number, packed);
  }
  Name(field);
  json_ += '[';
  for (const uint64_t value : values) json_ += '"' + std::to_string(value) + "\",";
  if (!values.empty()) json_.pop_back();
  json_ += "],";
}

void OtlpWriter::PackedDouble(OtlpField field, std::span<const double> values) {
  if (!is_json()) {
    std::string packed;
    for (const double value : values) ProtobufWriter::AppendFixed(packed, std::bit_cast<uint64_t>(value), 8);
    return protobuf_.Bytes(field.number, packed);
  }
  Name(field);
  json_ += '[';
  for (const double value : values) {
    AppendJsonDouble(json_, value);
    json_ += ',';
  }
  if (!values.empty()) json_.pop_back();
  json_ += "],";
}

void OtlpWriter::Message(OtlpField field, std::string_view encoded) {
  if (!is_json()) return protobuf_.Bytes(field.number, encoded);
  Name(field);
  json_ += encoded;
  json_ += ',';
}

void OtlpWriter::List(const OtlpList& list) {
  if (list.empty()) return;
  if (!is_json()) return protobuf_.Append(list.text_);
  Name(list.field_);
  json_ += '[';
  json_ += list.text_;
  json_ += "],";
}

std::string OtlpWriter::Encoded() const {
  if (!is_json()) return protobuf_.text();
  std::string out = "{" + json_;
  if (!json_.empty()) out.pop_back();
  out += '}';
  return out;
}

OtlpWriter EncodeText(OtlpFormat format, std::string_view text) {
  OtlpWriter out(format);
  out.String(kStringValue, text);
  return out;
}

OtlpList EncodeAttributes(OtlpFormat format, OtlpField field, std::span<const Attribute> attributes) {
  OtlpList list(format, field);
  for (const Attribute& attribute : attributes) {
    OtlpWriter pair(format);
    pair.String(kKey, attribute.name);
    pair.Message(kValue, std::visit(ValueEncoder{format}, attribute.value));
    list.Add(pair.Encoded());
  }
  return list;
}

}  // namespace gw::telemetry
