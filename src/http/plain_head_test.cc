// The short way must read a head as the strict parser does, or leave it alone.
#include "http/plain_head.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/limits.h"

namespace gw::http {
namespace {

// "" when both agree or the short way does not take the head, else what differs.
std::string Difference(const RequestHead& a, const RequestHead& b) {
  if (a.method != b.method || a.target != b.target || a.http11 != b.http11) return "line";
  if (a.keep_alive != b.keep_alive) return "keep_alive";
  if (a.chunked != b.chunked || a.expect_continue != b.expect_continue) return "coding";
  return a.content_length == b.content_length ? "" : "length";
}
std::string Difference(const ResponseHead& a, const ResponseHead& b) {
  if (a.status != b.status || a.bodyless != b.bodyless) return "status";
  if (a.keep_alive != b.keep_alive) return "keep_alive";
  return a.chunked == b.chunked && a.content_length == b.content_length ? "" : "framing";
}

template <typename Head>
std::string Compare(const std::string& text, bool (*plain)(std::string_view, Head&),
                    const char* (*any)(std::string_view, Head&), bool* taken) {
  Head one, other;
  *taken = plain(text, one);
  if (!*taken) return "";
  if (const char* why = any(text, other)) return std::string("refused by the strict parser: ") + why;
  const auto& a = one.headers.fields();
  const auto& b = other.headers.fields();
  if (a.size() != b.size()) return "number of fields";
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].value != b[i].value) return "a field";
  }
  return Difference(one, other);
}

std::string CompareRequest(const std::string& text, bool* taken) {
  return Compare<RequestHead>(text, &ReadPlainRequestHead, &ParseAnyRequestHead, taken);
}
std::string CompareResponse(const std::string& text, bool* taken) {
  return Compare<ResponseHead>(text, &ReadPlainResponseHead, &ParseAnyResponseHead, taken);
}

const std::string kRequest =
    "POST /v1/chat/completions?a=b%20c HTTP/1.1\r\nHost: gateway.example:4000\r\nContent-Type: application/json\r\n"
    "Authorization: Bearer sk-0123456789\r\nAccept: */*\r\nConnection: keep-alive\r\nX-Empty:\r\nX-Wide:   a b  \r\n"
    "Content-Length: 245\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nServer: uvicorn\r\nDate: Sat, 28 Nov 2026 19:16:15 GMT\r\nContent-Type: application/json\r\n"
    "Transfer-Encoding: chunked\r\nConnection: close\r\nX-RateLimit-Remaining-Requests: 9\r\n\r\n";

TEST(PlainHead, TakesWhatClientsAndServersSend) {
  bool taken = false;
  for (const char* text : {"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
                           "POST /a HTTP/1.1\r\nconnection: CLOSE\r\ncontent-length: 007\r\n\r\n"}) {
    EXPECT_EQ(CompareRequest(text, &taken), "") << text;
    EXPECT_TRUE(taken) << text;
  }
  EXPECT_EQ(CompareRequest(kRequest, &taken), "");
  EXPECT_TRUE(taken);
  for (const char* text : {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
                           "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n",
                           "HTTP/1.1 503 \r\nX: y\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n"}) {
    EXPECT_EQ(CompareResponse(text, &taken), "") << text;
    EXPECT_TRUE(taken) << text;
  }
  EXPECT_EQ(CompareResponse(kResponse, &taken), "");
  EXPECT_TRUE(taken);
}

TEST(PlainHead, LeavesTheRestToTheStrictParser) {
  RequestHead request;
  for (const char* text : {"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
                           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 5x\r\n\r\n",
                           "POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n",
                           "POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
                           "POST / HTTP/1.1\r\nConnection: close, te\r\n\r\n",
                           "POST / HTTP/1.1\r\nConnection: close\r\nConnection: close\r\n\r\n",
                           "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", "GET / HTTP/1.1\r\nProxy-Connection: x\r\n\r\n",
                           "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
                           "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nX: a\tb\r\n\r\n",
                           "GET / HTTP/1.1\r\nX: \xc3\xa4\r\n\r\n", "GET / HTTP/1.1\nHost: x\r\n\r\n",
                           "GET / HTTP/1.1\r\n\r\nGET", "GET / HTTP/1.1\r\nHost: x\r\n", "DELETE / HTTP/1.1\r\n\r\n", ""}) {
    EXPECT_FALSE(ReadPlainRequestHead(text, request)) << text;
  }
  ResponseHead response;
  for (const char* text : {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"}) {
    EXPECT_FALSE(ReadPlainResponseHead(text, response)) << text;
  }
}

// A field more than the bound allows is the strict parser's to refuse.
TEST(PlainHead, KeepsTheBoundOfFields) {
  std::string text = "GET / HTTP/1.1\r\n";
  for (size_t i = 0; i < limits::kHeaderCountMax; ++i) text += "x: y\r\n";
  bool taken = false;
  EXPECT_EQ(CompareRequest(text + "\r\n", &taken), "");
  EXPECT_TRUE(taken);
  RequestHead head;
  EXPECT_FALSE(ReadPlainRequestHead(text + "x: y\r\n\r\n", head));
  EXPECT_STREQ(ParseRequestHead(text + "x: y\r\n\r\n", head), "too many header fields");
}

// Heads with a few bytes changed, dropped or doubled: taken as the strict parser reads them, or not at all.
TEST(PlainHead, AgreesAboutDamagedHeads) {
  std::mt19937_64 random(7);
  const std::string_view bytes = "\r\n\t :,;0a-_/?#%\x7f\x80";
  size_t taken_requests = 0, taken_responses = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string request = kRequest, response = kResponse;
    for (std::string* text : {&request, &response}) {
      for (uint64_t n = random() % 3; n > 0; --n) {
        const size_t at = random() % text->size();
        if (random() % 3 == 0) text->erase(at, random() % 4);
        else if (random() % 2 == 0) text->insert(at, text->substr(at, random() % 30));
        else (*text)[at] = bytes[random() % bytes.size()];
      }
    }
    bool taken = false;
    ASSERT_EQ(CompareRequest(request, &taken), "") << request;
    taken_requests += taken ? 1 : 0;
    ASSERT_EQ(CompareResponse(response, &taken), "") << response;
    taken_responses += taken ? 1 : 0;
  }
  EXPECT_GT(taken_requests, 10'000U);
  EXPECT_GT(taken_responses, 10'000U);
}

TEST(FindHeadEnd, SeesEmptyLinesWhereverTheyLie) {
  for (size_t before = 0; before < 40; ++before) {
    for (size_t behind = 0; behind < 40; ++behind) {
      const std::string text = std::string(before, 'a') + "\n\n\nX\n\r\n\r\n" + std::string(behind, 'b');
      size_t scanned = 0;
      EXPECT_EQ(FindHeadEnd(text, scanned), before + 9) << before << " " << behind;
      scanned = 0;
      EXPECT_EQ(FindHeadEnd(std::string(before, '\n'), scanned), std::string_view::npos);
      EXPECT_EQ(scanned, before);
    }
  }
}

}  // namespace
}  // namespace gw::http
