#include <gtest/gtest.h>

#include "metrics/registry.h"

namespace gw::metrics {
namespace {

struct Case {
  std::string_view accept;
  ExpositionFormat format;
  std::string_view content_type;
};

constexpr std::string_view kPlain = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOm =
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
constexpr std::string_view kOmBare = "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr auto k004 = ExpositionFormat::kText004;
constexpr auto k100 = ExpositionFormat::kText100;
constexpr auto kOpen = ExpositionFormat::kOpenMetrics;
constexpr auto kProto = ExpositionFormat::kProtobuf;
constexpr std::string_view kDelimited =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

const Case kCases[] = {
    {"", k004, kPlain},
    {"*/*", k004, kPlain},
    {"text/plain", k004, kPlain},
    {"text/plain;version=0.0.4", k004, kPlain},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", k004, kPlain},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", k004, kPlain},
    {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
     "application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1",
     kProto, kDelimited},
    {"text/plain;version=1.0.0;escaping=allow-utf-8", k100,
     "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"},
    {"text/plain; version=1.0.0", k100,
     "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"},
    {"application/openmetrics-text", kOpen, kOmBare},
    {"application/openmetrics-text; version=0.0.1", k004, kPlain},
    {"application/openmetrics-text;version=0.0.1,application/openmetrics-text;version=1.0.0;q=0.2",
     kOpen, kOm},
    {"text/plain;q=1,application/openmetrics-text;q=0.1", kOpen, kOmBare},
    {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
     "text/plain;version=1.0.0",
     kOpen,
     "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"},
    {"text/plain;version=1.0.0,application/openmetrics-text", k100,
     "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"},
    {"application/openmetrics-text;version=1\r\nX: y", k004, kPlain},
    {"application/openmetrics-text;escaping=evil", kOpen, kOmBare},
    {"application/openmetrics-text;version=1.0.0;escaping=evil", kOpen, kOm},
};

TEST(Negotiate, FollowsTheWrittenOrder) {
  for (const Case& one : kCases) {
    const NegotiatedFormat got = Negotiate(one.accept);
    EXPECT_EQ(got.format, one.format) << one.accept;
    EXPECT_EQ(got.content_type, one.content_type) << one.accept;
  }
}

}  // namespace
}  // namespace gw::metrics
