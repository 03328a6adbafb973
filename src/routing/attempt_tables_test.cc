// Tables of whole requests: tests/golden/routing/*.table say what was measured on LiteLLM, with
// our deliberate differences marked there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "routing/route_test_kit.h"

namespace gw::routing::testing {
namespace {

struct TableLine {
  int number = 0;
  std::string text;
  std::vector<std::string> cells;
};

std::vector<TableLine> ReadTable(const std::string& name) {
  const std::string path = std::string(GW_SOURCE_DIR) + "/tests/golden/routing/" + name;
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::vector<TableLine> lines;
  std::string text;
  for (int number = 1; std::getline(file, text); ++number) {
    if (text.empty() || text.front() == '#') continue;
    TableLine line{.number = number, .text = text, .cells = {}};
    for (const std::string_view cell : Split(text, '|')) line.cells.emplace_back(Trim(cell));
    lines.push_back(std::move(line));
  }
  return lines;
}

void Configure(World& world, std::string_view layout) {
  if (layout == "one" || layout == "tiers") world.Row("T1", "T1");
  if (layout == "tiers") {
    world.Row("T2", "T2");
    world.Row("T3", "T3");
    world.Fallback("T1", {"T2", "T3"});
  }
  if (layout.starts_with("pair")) {
    world.Row("P", "A");
    world.Row("P", "B");
  }
  if (layout.starts_with("order")) {
    // Listed the other way round: order decides, not the place in the file.
    world.Row("P", "B").order = 2;
    world.Row("P", "A").order = 1;
  }
  if (layout == "f0") {
    for (const char* name : {"bad", "f0", "ok"}) world.Row(name, name);
  }
  if (layout.ends_with("-f")) {
    world.Row("F", "F");
    world.Fallback("P", {"F"});
  }
}

std::string FirstGroup(std::string_view layout) {
  if (layout == "f0") return "bad";
  return layout == "one" || layout == "tiers" ? "T1" : "P";
}

std::vector<std::string> ExpandCalls(std::string_view text) {
  std::vector<std::string> calls;
  for (const std::string_view part : Split(text, ' ')) {
    const size_t x = part.find('x');
    const int64_t times = x == std::string_view::npos ? 1 : *ParseInt(part.substr(x + 1));
    calls.insert(calls.end(), static_cast<size_t>(times), std::string(part.substr(0, x)));
  }
  return calls;
}

void ExpectCalls(const std::vector<std::string>& calls, std::string_view expected) {
  const std::vector<std::string> names = ExpandCalls(expected);
  ASSERT_EQ(calls.size(), names.size()) << ::testing::PrintToString(calls);
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "AB") {
      EXPECT_THAT(calls[i], ::testing::AnyOf("A", "B"));
    } else if (names[i] == "other") {
      EXPECT_NE(calls[i], calls[i - 1]);
    } else {
      EXPECT_EQ(calls[i], names[i]) << "call " << i;
    }
  }
}

void ExpectPauses(const std::vector<double>& waits, std::string_view expected) {
  std::vector<double> bases;
  if (expected != "-") {
    for (const std::string_view part : Split(expected, ' ')) bases.push_back(*ParseDouble(part));
  }
  ASSERT_EQ(waits.size(), bases.size()) << ::testing::PrintToString(waits);
  for (size_t i = 0; i < bases.size(); ++i) {
    EXPECT_GE(waits[i], bases[i]);
    EXPECT_LT(waits[i], bases[i] + 0.75);
  }
}

TEST(AttemptTables, OneRequestCallsTheseRowsAndAnswersThis) {
  for (const TableLine& line : ReadTable("attempts.table")) {
    SCOPED_TRACE("attempts.table:" + std::to_string(line.number) + ": " + line.text);
    ASSERT_EQ(line.cells.size(), 7U);
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      World world;
      Configure(world, line.cells[0]);
      world.settings().disable_cooldowns = line.cells[1] == "off";
      world.settings().num_retries = static_cast<int>(*ParseInt(line.cells[2]));
      world.Build();
      world.Seed(seed);
      const Trace trace = world.Run(FirstGroup(line.cells[0]), Answers(line.cells[3]));
      ExpectCalls(trace.calls, line.cells[4]);
      EXPECT_EQ(std::to_string(trace.status), line.cells[5]);
      ExpectPauses(trace.waits, line.cells[6]);
      EXPECT_EQ(trace.attempts, static_cast<int>(trace.calls.size()));
      EXPECT_EQ(world.SlotsInUse(), 0);
    }
  }
}

// "a=1 b=2" onto the world and the request.
void ApplySettings(World& world, RequestControls& controls, std::string_view text) {
  for (const std::string_view part : Split(text, ' ')) {
    const size_t at = part.find('=');
    const std::string_view key = part.substr(0, at);
    const std::string_view value = part.substr(at + 1);
    const int number = static_cast<int>(ParseInt(value).value_or(0));
    if (key == "num_retries") world.settings().num_retries = number;
    else if (key == "allowed_fails") world.settings().allowed_fails = number;
    else if (key == "row_retries") world.EachRow([&](config::Deployment& row) { row.num_retries = number; });
    else if (key == "body_retries") controls.num_retries = number;
    else if (key == "fallbacks") {
      controls.fallbacks.emplace();
      for (const std::string_view name : Split(value, ',')) controls.fallbacks->push_back({std::string(name), {}});
    } else {
      ADD_FAILURE() << "unknown setting " << key;
    }
  }
}

TEST(OtherTables, RequestsInTurnCallTheseRows) {
  for (const TableLine& line : ReadTable("others.table")) {
    SCOPED_TRACE("others.table:" + std::to_string(line.number) + ": " + line.text);
    ASSERT_EQ(line.cells.size(), 5U);
    World world;
    RequestControls controls;
    Configure(world, line.cells[0]);
    ApplySettings(world, controls, line.cells[1]);
    controls.model = FirstGroup(line.cells[0]);
    world.Build();
    const auto answers = Split(line.cells[2], '/');
    const auto calls = Split(line.cells[3], '/');
    const auto statuses = Split(line.cells[4], '/');
    ASSERT_EQ(answers.size(), calls.size());
    ASSERT_EQ(answers.size(), statuses.size());
    for (size_t i = 0; i < answers.size(); ++i) {
      SCOPED_TRACE("request " + std::to_string(i + 1));
      // Pauses must not outlast the cooldowns: the next request comes within a second.
      const TimePoint begin = world.now();
      const Trace trace = world.Run(controls, Answers(Trim(answers[i])));
      if (Trim(calls[i]) == "-") {
        EXPECT_TRUE(trace.calls.empty()) << ::testing::PrintToString(trace.calls);
      } else {
        ExpectCalls(trace.calls, Trim(calls[i]));
      }
      EXPECT_EQ(std::to_string(trace.status), Trim(statuses[i]));
      ASSERT_LT(Seconds(world.now() - begin), 4);
    }
    EXPECT_EQ(world.SlotsInUse(), 0);
  }
}

TEST(CooldownTable, RowIsTakenOutAfterSoManyCalls) {
  for (const TableLine& line : ReadTable("cooldown.table")) {
    SCOPED_TRACE("cooldown.table:" + std::to_string(line.number) + ": " + line.text);
    ASSERT_EQ(line.cells.size(), 3U);
    const bool is_one = line.cells[0] == "one";
    World world;
    Configure(world, line.cells[0]);
    world.settings().cooldown_time_s = 3600;
    world.Build();
    const std::string failing = is_one ? "T1" : "A";
    int calls = 0;
    int started = 0;
    bool seen_after_cooldown = false;
    for (int i = 0; i < 60; ++i) {
      const Trace trace =
          world.Run(FirstGroup(line.cells[0]), Answers(failing + "=" + line.cells[1]));
      for (const std::string& call : trace.calls) {
        if (call != failing) continue;
        ++calls;
        seen_after_cooldown |= started > 0;
      }
      started += trace.cooldowns_started;
      world.Advance(0.02);
    }
    if (line.cells[2] == "never") {
      EXPECT_EQ(started, 0);
      EXPECT_GT(calls, 10);
    } else {
      EXPECT_EQ(std::to_string(calls), line.cells[2]);
      EXPECT_EQ(started, 1);
      EXPECT_FALSE(seen_after_cooldown);
    }
  }
}

}  // namespace
}  // namespace gw::routing::testing
