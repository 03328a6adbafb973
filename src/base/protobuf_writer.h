// Fields in protobuf's wire format: as much of it as expositions and OTLP need.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace gw {

class ProtobufWriter {
 public:
  static void AppendVarint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
  }
  static void AppendZigZag(std::string& out, int64_t value) {
    AppendVarint(out, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }

  static void AppendFixed(std::string& out, uint64_t value, size_t bytes) {
    char little_endian[8];
    for (size_t i = 0; i < sizeof(little_endian); ++i, value >>= 8) little_endian[i] = static_cast<char>(value & 0xFF);
    out.append(little_endian, bytes);
  }
  [[nodiscard]] static constexpr size_t VarintSize(uint64_t value) {
    return static_cast<size_t>(std::bit_width(value | 1) + 6) / 7;
  }

  // uint64, enum, bool; int64 as its two's complement.
  void Varint(uint32_t field, uint64_t value) {
    Tag(field, 0);
    AppendVarint(text_, value);
  }
  // sint32, sint64.
  void ZigZag(uint32_t field, int64_t value) {
    Tag(field, 0);
    AppendZigZag(text_, value);
  }
  void Double(uint32_t field, double value) { Fixed64(field, std::bit_cast<uint64_t>(value)); }
  // fixed64, sfixed64.
  void Fixed64(uint32_t field, uint64_t value) {
    Tag(field, 1);
    AppendFixed(text_, value, 8);
  }
  void Fixed32(uint32_t field, uint32_t value) {
    Tag(field, 5);
    AppendFixed(text_, value, 4);
  }
  // string, bytes, packed numbers.
  void Bytes(uint32_t field, std::string_view bytes) {
    Tag(field, 2);
    AppendVarint(text_, bytes.size());
    text_ += bytes;
  }
  void Message(uint32_t field, const ProtobufWriter& message) { Bytes(field, message.text_); }
  // A message of two strings, its fields 1 and 2: the most frequent one of an exposition.
  void Pair(uint32_t field, std::string_view first, std::string_view second) {
    Tag(field, 2);
    AppendVarint(text_, 2 + VarintSize(first.size()) + first.size() + VarintSize(second.size()) + second.size());
    Bytes(1, first);
    Bytes(2, second);
  }
  // Empty again, with its memory.
  void Clear() { text_.clear(); }

  // Whole fields that were written before.
  void Append(std::string_view fields) { text_ += fields; }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void Tag(uint32_t field, uint32_t wire_type) { AppendVarint(text_, field << 3 | wire_type); }
  std::string text_;
};

}  // namespace gw
