#include <gtest/gtest.h>

#include "routing/router.h"

namespace gw::routing {
namespace {

class TimeoutChain : public ::testing::Test {
 protected:
  double Plain() { return Compute(false).first_byte_s; }
  double Stream() { return Compute(true).chunk_gap_s; }
  Timeouts Compute(bool stream) {
    controls_.stream = stream;
    return ComputeTimeouts(snapshot_, row_, controls_);
  }
  config::Snapshot snapshot_;
  config::Deployment row_;
  RequestControls controls_;
};

TEST_F(TimeoutChain, DefaultIsSixThousandSeconds) {
  EXPECT_EQ(Plain(), 6000);
  EXPECT_EQ(Stream(), 6000);
}

TEST_F(TimeoutChain, PlainFromWeakestToStrongest) {
  snapshot_.router.request_timeout_s = 4;
  EXPECT_EQ(Plain(), 4);
  snapshot_.router.timeout_s = 5;
  EXPECT_EQ(Plain(), 4);  // request_timeout outranks router timeout when both are set
  snapshot_.router.request_timeout_s.reset();
  EXPECT_EQ(Plain(), 5);
  row_.request_timeout_s = 6;
  EXPECT_EQ(Plain(), 6);
  row_.timeout_s = 7;
  EXPECT_EQ(Plain(), 7);
  EXPECT_FALSE(Compute(false).set_by_client);
  controls_.timeout_s = 8;
  EXPECT_EQ(Plain(), 8);
  EXPECT_TRUE(Compute(false).set_by_client);
}

TEST_F(TimeoutChain, StreamFromWeakestToStrongest) {
  row_.timeout_s = 3;
  EXPECT_EQ(Stream(), 3);
  controls_.timeout_s = 2;
  EXPECT_EQ(Stream(), 2);
  EXPECT_TRUE(Compute(true).set_by_client);
  snapshot_.router.timeout_s = 9;
  snapshot_.router.request_timeout_s = 4;
  EXPECT_EQ(Stream(), 4);
  EXPECT_FALSE(Compute(true).set_by_client);
  snapshot_.router.stream_timeout_s = 5;
  EXPECT_EQ(Stream(), 5);
  row_.stream_timeout_s = 6;
  EXPECT_EQ(Stream(), 6);
  controls_.stream_timeout_s = 7;
  EXPECT_EQ(Stream(), 7);
  EXPECT_TRUE(Compute(true).set_by_client);
  EXPECT_EQ(Plain(), 2);
}

TEST_F(TimeoutChain, ZeroAndNegativeCountAsNotSet) {
  controls_.timeout_s = -1;
  row_.timeout_s = 0;
  snapshot_.router.timeout_s = 5;
  EXPECT_EQ(Plain(), 5);
  EXPECT_FALSE(Compute(false).set_by_client);
}

}  // namespace
}  // namespace gw::routing
