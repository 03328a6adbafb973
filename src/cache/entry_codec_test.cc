// Does an entry survive the way out and back, and is everything else no entry?
#include "cache/entry_codec.h"

#include <gtest/gtest.h>

namespace gw::cache {
namespace {

Entry Sample() {
  Entry entry;
  entry.body = std::string("data: {\"a\":1}\n\n\0 binary", 24);
  entry.stream = true;
  entry.usage.prompt_tokens = 7;
  entry.usage.reasoning_tokens = 3;
  entry.usage.reported = true;
  entry.usage.service_tier = "flex";
  entry.shown_model = "\"m\"";
  entry.deployment_id = "id";
  entry.upstream_model = "up";
  entry.model_group = "group";
  entry.stored_unix_ms = 1'700'000'000'123;
  return entry;
}

TEST(EntryCodec, RoundTrip) {
  const std::optional<Entry> back = DecodeEntry(EncodeEntry(Sample()));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->body, Sample().body);
  EXPECT_TRUE(back->stream);
  EXPECT_EQ(back->usage.prompt_tokens, 7);
  EXPECT_EQ(back->usage.reasoning_tokens, 3);
  EXPECT_TRUE(back->usage.reported);
  EXPECT_FALSE(back->usage.estimated);
  EXPECT_EQ(back->usage.service_tier, "flex");
  EXPECT_EQ(back->shown_model, "\"m\"");
  EXPECT_EQ(back->deployment_id, "id");
  EXPECT_EQ(back->upstream_model, "up");
  EXPECT_EQ(back->model_group, "group");
  EXPECT_EQ(back->stored_unix_ms, 1'700'000'000'123);
}

TEST(EntryCodec, WhateverIsCutOrAlteredIsNoEntry) {
  const std::string bytes = EncodeEntry(Sample());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(DecodeEntry(std::string_view(bytes).substr(0, length)).has_value()) << length;
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string altered = bytes;
    altered[at] = static_cast<char>(altered[at] ^ 0x20);
    EXPECT_FALSE(DecodeEntry(altered).has_value()) << at;
  }
  EXPECT_FALSE(DecodeEntry(bytes + "x").has_value());
  EXPECT_FALSE(DecodeEntry("{\"response\": 1}").has_value()) << "what LiteLLM keeps under such a key";
}

}  // namespace
}  // namespace gw::cache
