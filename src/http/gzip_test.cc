#include "http/gzip.h"

#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>

namespace gw::http {
namespace {

std::string Unzipped(std::string gzip, size_t bytes) {
  inflate_state state;
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;  // the checksum at the end is compared too
  state.next_in = reinterpret_cast<uint8_t*>(gzip.data());
  state.avail_in = static_cast<uint32_t>(gzip.size());
  std::string text(bytes + 1, '\0');
  state.next_out = reinterpret_cast<uint8_t*>(text.data());
  state.avail_out = static_cast<uint32_t>(text.size());
  EXPECT_EQ(isal_inflate(&state), ISAL_DECOMP_OK);
  EXPECT_EQ(state.block_state, ISAL_BLOCK_FINISH);
  EXPECT_EQ(state.avail_in, 0U);
  text.resize(state.total_out);
  return text;
}

TEST(Gzip, WhatIsZippedComesOutAgain) {
  std::string noise;
  for (uint32_t i = 0, x = 1; i < 100'000; ++i) noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  const std::string lines(3'000'000, 'a');
  for (const std::string& text : {std::string(), std::string("x"), lines, noise}) {
    EXPECT_EQ(Unzipped(Gzip(text), text.size()), text);
  }
  EXPECT_LT(Gzip(lines).size(), lines.size() / 100);
}

TEST(Gzip, PiecesAreOneMember) {
  Gzipper gzipper;
  std::string text, zipped;
  for (int i = 0; i < 50'000; ++i) {
    const std::string piece = "family{label=\"" + std::to_string(i) + "\"} 1.0\n";
    gzipper.Add(piece, zipped);
    gzipper.Add("", zipped);
    text += piece;
  }
  gzipper.Finish(zipped);
  EXPECT_EQ(Unzipped(zipped, text.size()), text);
}

TEST(Gzip, WhoTakesIt) {
  for (const char* yes : {"gzip", "deflate, gzip", "GZIP;q=0.5", "*", "br;q=1.0, gzip;q=0.8"}) EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  for (const char* no : {"", "identity", "gzip;q=0", "br", "gzip;q=0.0"}) EXPECT_FALSE(AcceptsGzip(no)) << no;
}

}  // namespace
}  // namespace gw::http
