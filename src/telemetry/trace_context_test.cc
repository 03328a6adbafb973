#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gw::telemetry {
namespace {

constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kSpan = "00f067aa0ba902b7";
constexpr std::array<uint64_t, 3> kRandom = {0x0123456789abcdef, 0xfedcba9876543210, 0x1122334455667788};

[[nodiscard]] TraceContext Begin(std::string_view traceparent, std::string_view tracestate = "",
                                 Sampler sampler = Sampler::kParentAlwaysOn, double ratio = 1) {
  return BeginTrace(traceparent, tracestate, sampler, ratio, kRandom);
}
[[nodiscard]] std::string Parent(std::string_view version, std::string_view flags, std::string_view more = "") {
  return std::string(version) + "-" + std::string(kTrace) + "-" + std::string(kSpan) + "-" + std::string(flags) +
         std::string(more);
}

TEST(TraceParent, ContinuesTheTraceOfAValidHeader) {
  struct Case { std::string header; bool sampled; };
  const std::vector<Case> cases = {
      {Parent("00", "01"), true},
      {Parent("00", "00"), false},
      {Parent("00", "03"), true},   // the random flag of level 2
      {Parent("00", "ff"), true},   // unknown flags are nothing to us
      {Parent("00", "fe"), false},
      {Parent("01", "01"), true},   // a future version
      {Parent("cc", "01", "-what-the-future-brings"), true},
      {Parent("fe", "00", "-"), false},
  };
  for (const Case& one : cases) {
    const TraceContext context = Begin(one.header);
    EXPECT_EQ(Hex(context.trace_id), kTrace) << one.header;
    EXPECT_EQ(Hex(context.parent_id), kSpan) << one.header;
    EXPECT_TRUE(context.has_parent());
    EXPECT_EQ(context.sampled, one.sampled) << one.header;
    EXPECT_EQ(Hex(context.span_id), "1122334455667788");
  }
}

TEST(TraceParent, BeginsANewTraceWhenTheHeaderIsMalformed) {
  const std::string trace(kTrace), span(kSpan);
  const std::vector<std::string> cases = {
      "",
      "00",
      Parent("ff", "01"),
      Parent("ff", "01", "-x"),
      Parent("00", "01", "-x"),  // version 00 has no more fields
      Parent("00", "01", " "),
      Parent("01", "01", "x"),   // more must follow a dash
      Parent("0A", "01"),
      Parent("00", "0A"),
      Parent("00", "1"),
      Parent("0", "01", "0"),
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01",
      "00-" + trace + "-00F067AA0BA902B7-01",
      "00-" + std::string(32, '0') + "-" + span + "-01",
      "00-" + trace + "-" + std::string(16, '0') + "-01",
      "00-" + trace + "g-" + span.substr(1) + "-01",
      "00_" + trace + "-" + span + "-01",
      "00-" + trace + "_" + span + "-01",
      "00-" + trace + "-" + span + "_01",
      std::string(55, '-'),
      std::string(55, '\0'),
  };
  for (const std::string& header : cases) {
    const TraceContext context = Begin(header, "a=b");
    EXPECT_EQ(Hex(context.trace_id), "0123456789abcdeffedcba9876543210") << header;
    EXPECT_FALSE(context.has_parent()) << header;
    EXPECT_EQ(context.tracestate, "") << header;
    EXPECT_TRUE(context.sampled) << header;
  }
}

TEST(TraceParent, NamesTheSpanAndTheDecision) {
  TraceContext context = Begin(Parent("00", "01"));
  EXPECT_EQ(TraceParent(context, SpanIdFrom(7)), "00-" + std::string(kTrace) + "-0000000000000007-01");
  context.sampled = false;
  EXPECT_EQ(TraceParent(context, SpanIdFrom(7)), "00-" + std::string(kTrace) + "-0000000000000007-00");
}

// A client's flag for random ids was lost; no other flag may go on.
TEST(TraceParent, PassesTheRandomFlagOn) {
  struct Case { std::string flags, sent; };
  for (const Case& one : {Case{"03", "-03"}, Case{"02", "-02"}, Case{"ff", "-03"}, Case{"fc", "-00"}}) {
    const std::string sent = TraceParent(Begin(Parent("00", one.flags)), SpanIdFrom(7));
    EXPECT_EQ(sent.substr(sent.size() - 3), one.sent) << one.flags;
  }
}

TEST(TraceParent, NeverMakesAnIdOfZeros) {
  const TraceContext context = BeginTrace("", "", Sampler::kAlwaysOn, 1, {0, 0, 0});
  EXPECT_NE(context.trace_id, TraceId{});
  EXPECT_NE(context.span_id, SpanId{});
}

TEST(TraceState, IsPassedOnUnlessMalformed) {
  const std::string most = "a@b=" + std::string(508, 'v');
  std::string many, few;
  for (int i = 0; i < 33; ++i) many += (i > 0 ? ",k" : "k") + std::to_string(i) + "=1";
  for (int i = 0; i < 32; ++i) few += (i > 0 ? ",k" : "k") + std::to_string(i) + "=1";
  struct Case { std::string in, out; };
  const std::vector<Case> cases = {
      {"", ""},
      {"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"},
      {" rojo=1 , ,congo=2\t", "rojo=1,congo=2"},
      {"a=1,b", ""},
      {"A=1", ""},
      {"a=", ""},
      {"=a", ""},
      {"a=b=c", ""},
      {"a=1\r\nx-evil: 1", ""},
      {"a=\x80", ""},
      {few, few},
      {many, ""},
      {"a=1," + most, "a=1"},  // too long: the last members go
      {most, most},
      {most + "x", ""},
  };
  for (const Case& one : cases) EXPECT_EQ(Begin(Parent("00", "01"), one.in).tracestate, one.out) << one.in;
}

TEST(Sampler, DecidesByParentAndRatio) {
  const std::string yes = Parent("00", "01"), no = Parent("00", "00");
  struct Case { Sampler sampler; double ratio; bool root, child_of_sampled, child_of_unsampled; };
  // Low halves of the ids: 0xfedcba98... (root), 0xa3ce929d... = 0.64 (children).
  const std::vector<Case> cases = {
      {Sampler::kAlwaysOn, 0, true, true, true},
      {Sampler::kAlwaysOff, 1, false, false, false},
      {Sampler::kRatio, 0.5, false, false, false},
      {Sampler::kRatio, 0.7, false, true, true},
      {Sampler::kRatio, 1, true, true, true},
      {Sampler::kRatio, 0, false, false, false},
      {Sampler::kParentAlwaysOn, 0, true, true, false},
      {Sampler::kParentAlwaysOff, 1, false, true, false},
      {Sampler::kParentRatio, 0, false, true, false},
      {Sampler::kParentRatio, 0.9, false, true, false},
      {Sampler::kParentRatio, 0.999, true, true, false},
  };
  for (const Case& one : cases) {
    const std::string name = std::to_string(static_cast<int>(one.sampler)) + " at " + std::to_string(one.ratio);
    EXPECT_EQ(Begin("", "", one.sampler, one.ratio).sampled, one.root) << name;
    EXPECT_EQ(Begin(yes, "", one.sampler, one.ratio).sampled, one.child_of_sampled) << name;
    EXPECT_EQ(Begin(no, "", one.sampler, one.ratio).sampled, one.child_of_unsampled) << name;
  }
}

}  // namespace
}  // namespace gw::telemetry
