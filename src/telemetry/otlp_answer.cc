#include "telemetry/otlp_answer.h"

#include <optional>

#include "base/json_tree.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace gw::telemetry {
namespace {

constexpr size_t kMessageBytesMax = 300;

[[nodiscard]] std::string Printable(std::string_view text) {
  std::string out = CleanUtf8(text.substr(0, kMessageBytesMax));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return out;
}

// As much of protobuf as an answer has: varints, and messages or text behind a length.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view bytes) : left_(bytes) {}

  struct Field {
    uint64_t number = 0;
    uint64_t varint = 0;
    std::string_view bytes;
  };
  // Nullopt at the end, or where it makes no sense.
  [[nodiscard]] std::optional<Field> Next() {
    const auto tag = Varint();
    if (!tag) return std::nullopt;
    Field field;
    field.number = *tag >> 3;
    const auto value = Varint();
    if (!value) return std::nullopt;
    if ((*tag & 7) == 0) {
      field.varint = *value;
      return field;
    }
    if ((*tag & 7) != 2 || *value > left_.size()) return std::nullopt;
    field.bytes = left_.substr(0, static_cast<size_t>(*value));
    left_.remove_prefix(static_cast<size_t>(*value));
    return field;
  }

 private:
  [[nodiscard]] std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::string_view left_;
};

[[nodiscard]] PartialSuccess ParseJson(std::string_view body) {
  PartialSuccess out;
  const auto value = json::ParseTree(body);
  if (!value || !value->is_object()) return out;
  const json::Object* partial = json::GetObject(value->get_object(), "partialSuccess");
  if (partial == nullptr) return out;
  const json::Object& object = *partial;
  for (const char* key : {"rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"}) {
    // 64-bit integers are text in protobuf's JSON; some write numbers.
    out.rejected += ParseInt(json::GetString(object, key)).value_or(json::GetInt(object, key, 0));
  }
  out.message = Printable(json::GetString(object, "errorMessage"));
  return out;
}

}  // namespace

PartialSuccess ParseExportAnswer(std::string_view body, bool is_json) {
  if (is_json) return ParseJson(body);
  PartialSuccess out;
  ProtobufReader answer(body);
  while (const auto outer = answer.Next()) {
    if (outer->number != 1) continue;
    ProtobufReader partial(outer->bytes);
    while (const auto field = partial.Next()) {
      if (field->number == 1) out.rejected = static_cast<int64_t>(field->varint);
      if (field->number == 2) out.message = Printable(field->bytes);
    }
  }
  return out;
}

}  // namespace gw::telemetry
