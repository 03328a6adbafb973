// Is a line JSON, complete, and free of what is not known?
#include "telemetry/access_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_tree.h"
#include "telemetry/delivery.h"

namespace gw::telemetry {
namespace {

TEST(AccessLine, SuccessWithAFailedAttempt) {
  config::Deployment first, second;
  first.id = "row-1";
  first.provider = second.provider = "openai";
  second.id = "row-2";
  RequestRecord record;
  const TimePoint begin{std::chrono::seconds(100)};
  record.call_id = "call";
  record.method = "POST";
  record.path = "/v1/chat/completions";
  record.status = 200;
  record.outcome = RequestRecord::Outcome::kSuccess;
  record.requested_model = "a \"quoted\" name";
  record.deployment = &second;
  record.arrived = begin;
  record.finished = begin + std::chrono::milliseconds(1500);
  record.finished_unix_ns = 1'795'868'400'250'000'000;
  record.upstream = std::chrono::milliseconds(1200);
  record.backoff = std::chrono::milliseconds(250);
  record.usage.prompt_tokens = 7;
  record.cost_usd = 0.25;
  AttemptRecord failed;
  failed.deployment = &first;
  failed.outcome = AttemptRecord::Outcome::kFailed;
  failed.status = 429;
  failed.begin = begin;
  failed.end = begin + std::chrono::milliseconds(3);
  AttemptRecord never_ended;
  never_ended.deployment = &second;
  record.attempts = {failed, never_ended};
  std::string text;
  AppendAccessLine(record, text);
  ASSERT_EQ(text.back(), '\n');
  const auto line = json::ParseTree(text);
  ASSERT_TRUE(line.has_value()) << text;
  const json::Object& o = line->as_object();
  EXPECT_EQ(json::GetString(o, "time"), "2026-11-28T12:19:58.750Z");
  EXPECT_EQ(json::GetString(o, "model"), "a \"quoted\" name");
  EXPECT_EQ(json::GetString(o, "model_id"), "row-2");
  EXPECT_DOUBLE_EQ(o.at("ms").as_double(), 1500);
  EXPECT_DOUBLE_EQ(o.at("overhead_ms").as_double(), 50);
  EXPECT_DOUBLE_EQ(*json::AsNumber(o.at("spend_usd")), 0.25);
  EXPECT_FALSE(o.contains("error"));
  EXPECT_FALSE(o.contains("trace_id"));
  const json::Array& attempts = o.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(json::GetString(attempts[0].as_object(), "outcome"), "failed");
  EXPECT_EQ(json::GetInt(attempts[0].as_object(), "status", 0), 429);
  EXPECT_EQ(json::GetString(attempts[1].as_object(), "outcome"), "cancelled");
}

TEST(Url, TakesAddressesApart) {
  auto url = ParseUrl("https://collector.example:4318/v1/traces?a=b#c");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "collector.example");
  EXPECT_EQ(url->port, 4318);
  EXPECT_EQ(url->host_header, "collector.example:4318");
  EXPECT_EQ(url->target, "/v1/traces?a=b");
  EXPECT_EQ(ParseUrl("http://h")->target, "/");
  EXPECT_EQ(ParseUrl("http://h?x=1")->target, "/?x=1");
  EXPECT_EQ(ParseUrl("http://h/hook/")->target, "/hook/");
  for (const char* bad : {"", "collector:4318", "ftp://h/", "http://", "http://user:secret@h/"})
    EXPECT_FALSE(ParseUrl(bad).ok()) << bad;
}

TEST(Batch, WhatWouldBeTooMuchTogetherGoesApart) {
  Batch batch(100, 100, std::chrono::seconds(1));
  EXPECT_TRUE(batch.HasRoomFor(std::string(200, 'x'))) << "alone it has to go anyway";
  batch.Add(std::string(60, 'x'), TimePoint{});
  EXPECT_TRUE(batch.HasRoomFor(std::string(39, 'x')));
  EXPECT_FALSE(batch.HasRoomFor(std::string(40, 'x'))) << "a separator comes between";
}

TEST(Batch, IsDueByNumberBytesOrAge) {
  const TimePoint begin{std::chrono::seconds(5)};
  Batch batch(3, 100, std::chrono::seconds(1));
  EXPECT_FALSE(batch.IsDue(begin + std::chrono::hours(1)));
  batch.Add("a", begin);
  EXPECT_FALSE(batch.IsDue(begin));
  EXPECT_TRUE(batch.IsDue(begin + std::chrono::seconds(1)));
  batch.Add("b", begin);
  batch.Add("c", begin);
  EXPECT_TRUE(batch.IsDue(begin));
  EXPECT_THAT(batch.Take(), testing::ElementsAre("a", "b", "c"));
  EXPECT_TRUE(batch.empty());
  batch.Add(std::string(100, 'x'), begin);
  EXPECT_TRUE(batch.IsFull());
}

}  // namespace
}  // namespace gw::telemetry
