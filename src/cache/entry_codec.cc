#include "cache/entry_codec.h"

#include <array>

namespace gw::cache {

namespace {

constexpr std::string_view kMagic = "IWC1";
constexpr size_t kHeadBytes = 12;  // magic and checksum

constexpr std::array kUsageNumbers = {
    &api::Usage::prompt_tokens,        &api::Usage::completion_tokens,     &api::Usage::total_tokens,
    &api::Usage::cached_tokens,        &api::Usage::cache_creation_tokens, &api::Usage::prompt_audio_tokens,
    &api::Usage::completion_audio_tokens, &api::Usage::reasoning_tokens};

uint64_t Fnv1a(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

void AppendNumber(std::string& out, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>((number >> shift) & 0xFFU);
}

void AppendText(std::string& out, std::string_view text) {
  AppendNumber(out, text.size());
  out += text;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Number() {
    if (bytes_.size() < 8) return Fail();
    uint64_t number = 0;
    for (size_t i = 0; i < 8; ++i) number |= uint64_t{static_cast<uint8_t>(bytes_[i])} << (8 * i);
    bytes_.remove_prefix(8);
    return number;
  }
  std::string_view Text() {
    const uint64_t length = Number();
    if (length > bytes_.size()) {
      Fail();
      return {};
    }
    const std::string_view text = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return text;
  }
  [[nodiscard]] bool AtEnd() const { return ok_ && bytes_.empty(); }

 private:
  uint64_t Fail() {
    ok_ = false;
    bytes_ = {};
    return 0;
  }
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace

std::string EncodeEntry(const Entry& entry) {
  std::string out(kMagic);
  out.reserve(kHeadBytes + 256 + entry.bytes());
  AppendNumber(out, 0);
  const uint64_t flags = (entry.stream ? 1U : 0U) | (entry.usage.reported ? 2U : 0U) | (entry.usage.estimated ? 4U : 0U);
  AppendNumber(out, flags);
  AppendNumber(out, static_cast<uint64_t>(entry.stored_unix_ms));
  for (const auto member : kUsageNumbers) AppendNumber(out, static_cast<uint64_t>(entry.usage.*member));
  for (const std::string* text : {&entry.usage.service_tier, &entry.shown_model, &entry.deployment_id,
                                  &entry.upstream_model, &entry.model_group, &entry.body}) {
    AppendText(out, *text);
  }
  std::string sum;
  AppendNumber(sum, Fnv1a(std::string_view(out).substr(kHeadBytes)));
  out.replace(kMagic.size(), sum.size(), sum);
  return out;
}

std::optional<Entry> DecodeEntry(std::string_view bytes) {
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  Reader head(bytes.substr(kMagic.size()));
  if (head.Number() != Fnv1a(bytes.substr(kHeadBytes))) return std::nullopt;
  Reader reader(bytes.substr(kHeadBytes));
  Entry entry;
  const uint64_t flags = reader.Number();
  entry.stream = (flags & 1U) != 0;
  entry.usage.reported = (flags & 2U) != 0;
  entry.usage.estimated = (flags & 4U) != 0;
  entry.stored_unix_ms = static_cast<int64_t>(reader.Number());
  for (const auto member : kUsageNumbers) entry.usage.*member = static_cast<int64_t>(reader.Number());
  for (std::string* text : {&entry.usage.service_tier, &entry.shown_model, &entry.deployment_id, &entry.upstream_model,
                            &entry.model_group, &entry.body}) {
    *text = reader.Text();
  }
  if (!reader.AtEnd()) return std::nullopt;
  return entry;
}

}  // namespace gw::cache
