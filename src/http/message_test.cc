#include "http/message.h"

#include <gtest/gtest.h>

namespace gw::http {
namespace {

TEST(ParseRequestHead, ReadsAnOrdinaryRequest) {
  const std::string text =
      "POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nX-A:  y z \r\n\r\n";
  RequestHead head;
  ASSERT_EQ(ParseRequestHead(text, head), nullptr);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path(), "/v1/chat/completions");
  EXPECT_EQ(head.query(), "a=b");
  EXPECT_EQ(head.headers.Get("x-a"), "y z");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.chunked);
}

// Only the first of several tracestate lines was passed on.
TEST(Headers, LinesOfOneNameAreJoinedInTheirOrder) {
  Headers headers;
  headers.Add("TraceState", "a=1,b=2");
  headers.Add("traceparent", "x");
  headers.Add("tracestate", "");
  headers.Add("tracestate", "c=3");
  headers.Add("TRACESTATE", "d=4");
  EXPECT_EQ(headers.Joined("tracestate", 100), "a=1,b=2,c=3,d=4");
  EXPECT_EQ(headers.Joined("tracestate", 15), "a=1,b=2,c=3,d=4");
  EXPECT_EQ(headers.Joined("tracestate", 14), "a=1,b=2,c=3") << "whole lines";
  EXPECT_EQ(headers.Joined("tracestate", 6), "");
  EXPECT_EQ(headers.Joined("baggage", 100), "");
}

TEST(ParseRequestHead, KnowsWhenTheConnectionStays) {
  RequestHead head;
  ASSERT_EQ(ParseRequestHead("GET / HTTP/1.1\r\nHost: x\r\n\r\n", head), nullptr);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(ParseRequestHead("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", head), nullptr);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(ParseRequestHead("GET / HTTP/1.0\r\nHost: x\r\n\r\n", head), nullptr);
  EXPECT_FALSE(head.keep_alive);
}

// Each of these once let a second request ride inside the first on some proxy.
TEST(ParseRequestHead, RefusesSmugglingPairs) {
  const char* bad[] = {
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\nContent-Length: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\rContent-Length: 5\r\n\r\n",
      "POST / HTTP/2.0\r\nHost: x\r\n\r\n",
      "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GARBAGE\r\n\r\n",
  };
  for (const char* text : bad) {
    RequestHead head;
    EXPECT_NE(ParseRequestHead(text, head), nullptr) << text;
  }
}

TEST(ParseRequestHead, RefusesHeaderFloods) {
  std::string text = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 500; ++i) text += "x-" + std::to_string(i) + ": y\r\n";
  RequestHead head;
  EXPECT_STREQ(ParseRequestHead(text + "\r\n", head), "too many header fields");
}

TEST(ParseResponseHead, KnowsTheThreeFramings) {
  ResponseHead head;
  ASSERT_EQ(ParseResponseHead("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", head), nullptr);
  EXPECT_EQ(head.content_length, 3U);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(ParseResponseHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", head), nullptr);
  EXPECT_TRUE(head.chunked);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(ParseResponseHead("HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n\r\n", head), nullptr);
  EXPECT_EQ(head.status, 503);
  EXPECT_FALSE(head.keep_alive);
}

TEST(FindHeadEnd, ResumesWhereItStopped) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
  for (size_t cut = 0; cut < text.size(); ++cut) {
    size_t scanned = 0;
    const size_t early = FindHeadEnd(std::string_view(text).substr(0, cut), scanned);
    const size_t late = FindHeadEnd(text, scanned);
    EXPECT_EQ(early == std::string_view::npos ? late : early, text.size() - 4) << cut;
  }
}

TEST(ChunkedDecoder, DecodesAtEverySplit) {
  const std::string text = "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\nNEXT";
  for (size_t cut = 0; cut <= text.size() - 4; ++cut) {
    ChunkedDecoder decoder;
    std::string body;
    std::vector<std::string_view> spans;
    const auto first = decoder.Feed(std::string_view(text).substr(0, cut), spans);
    ASSERT_TRUE(first);
    const auto rest = decoder.Feed(std::string_view(text).substr(*first), spans);
    ASSERT_TRUE(rest || decoder.done());
    for (const auto span : spans) body += span;
    EXPECT_EQ(body, "hello world") << cut;
    EXPECT_TRUE(decoder.done());
    EXPECT_EQ(*first + rest.value_or(0), text.size() - 4) << cut;
  }
}

TEST(ChunkedDecoder, RefusesMalformedSizes) {
  for (const char* text : {"z\r\nhello\r\n", "5\nhello\r\n", "-1\r\n", "5\r\nhelloXX0\r\n\r\n",
                           "fffffffffffffffff\r\n"}) {
    ChunkedDecoder decoder;
    std::vector<std::string_view> spans;
    EXPECT_FALSE(decoder.Feed(text, spans)) << text;
  }
}

}  // namespace
}  // namespace gw::http
