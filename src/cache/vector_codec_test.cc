#include "cache/vector_codec.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace gw::cache {
namespace {

std::optional<std::string> Encode(std::string text) {
  text.reserve(text.size() + json::kPadding);
  return EncodeVector(text);
}

TEST(VectorCodec, FloatsAreLittleEndian) {
  const auto bytes = Encode("[1, -0.5,0.1e1, 1e-3]");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, std::string("\0\0\x80\x3f\0\0\0\xbf\0\0\x80\x3f\x6f\x12\x83\x3a", 16));
  EXPECT_EQ(DimensionOf(*bytes), 4U);
}

TEST(VectorCodec, WhatHasNoDirectionIsNoVector) {
  for (const char* text : {"[]", "[0,0.0,-0]", "[1,null]", "[\"1\"]", "\"AACAPw==\"", "{}", "[1e39]", "[[1]]"}) {
    EXPECT_FALSE(Encode(text)) << text;
  }
}

TEST(VectorCodec, LengthIsBounded) {
  std::string text = "[1";
  for (size_t i = 1; i < kVectorDimensionsMax; ++i) text += ",0";
  EXPECT_TRUE(Encode(text + "]"));
  EXPECT_FALSE(Encode(text + ",0]"));
}

}  // namespace
}  // namespace gw::cache
