// The four kinds of fields that a MetricFamily needs, in protobuf's wire format.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace gw::metrics {

class ProtobufWriter {
 public:
  static void AppendVarint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
  }
  static void AppendZigZag(std::string& out, int64_t value) {
    AppendVarint(out, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }

  // uint64, int64 that is not negative, enum.
  void Varint(uint32_t field, uint64_t value) {
    Tag(field, 0);
    AppendVarint(text_, value);
  }
  // sint32, sint64.
  void ZigZag(uint32_t field, int64_t value) {
    Tag(field, 0);
    AppendZigZag(text_, value);
  }
  void Double(uint32_t field, double value) {
    Tag(field, 1);
    uint64_t bits = std::bit_cast<uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8) text_ += static_cast<char>(bits & 0xFF);
  }
  // string, bytes, packed numbers.
  void Bytes(uint32_t field, std::string_view bytes) {
    Tag(field, 2);
    AppendVarint(text_, bytes.size());
    text_ += bytes;
  }
  void Message(uint32_t field, const ProtobufWriter& message) { Bytes(field, message.text_); }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void Tag(uint32_t field, uint32_t wire_type) { AppendVarint(text_, field << 3 | wire_type); }
  std::string text_;
};

}  // namespace gw::metrics
