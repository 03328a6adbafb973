#include "routing/prefix_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "routing/engine_fleet.h"

namespace gw::routing {
namespace {

std::string Text(size_t bytes, size_t seed) {
  std::string text(bytes, ' ');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26 + seed) % 26);
  return text;
}

std::map<uint32_t, size_t> Longest(const PrefixMap& map, const PromptBlocks& prompt) {
  std::map<uint32_t, size_t> found;
  map.ForEach(prompt.blocks, [&](uint32_t engine, size_t block, uint64_t) {
    found.try_emplace(engine, block + 1);
    return true;
  });
  return found;
}

TEST(PromptBlocks, SameBeginningSameBlocksWhateverFollows) {
  const std::string text = Text(20'000, 1);
  const PromptBlocks whole = HashPrompt({text}, 512);
  const PromptBlocks longer = HashPrompt({text + Text(5000, 2)}, 512);
  ASSERT_GT(whole.blocks.size(), 10U);
  for (size_t i = 0; i < whole.blocks.size(); ++i) {
    EXPECT_EQ(whole.blocks[i].hash, longer.blocks[i].hash) << i;
    EXPECT_EQ(whole.blocks[i].end_tokens, longer.blocks[i].end_tokens);
  }
  EXPECT_GT(longer.blocks.size(), whole.blocks.size());
  EXPECT_EQ(whole.tokens, 5000);
}

TEST(PromptBlocks, OneByteChangesItsBlockAndAllBehind) {
  std::string text = Text(20'000, 1);
  const PromptBlocks before = HashPrompt({text}, 512);
  text[3000] = '!';
  const PromptBlocks after = HashPrompt({text}, 512);
  for (size_t i = 0; i < before.blocks.size(); ++i) {
    const bool is_before = before.blocks[i].end_tokens * kBytesPerToken <= 3000;
    EXPECT_EQ(before.blocks[i].hash == after.blocks[i].hash, is_before) << i;
  }
}

TEST(PromptBlocks, PiecesAreOneText) {
  const std::string text = Text(9001, 3);
  const PromptBlocks whole = HashPrompt({text}, 256);
  for (const size_t cut : {1U, 7U, 255U, 256U, 257U, 5000U}) {
    const std::string_view view = text;
    const PromptBlocks pieces = HashPrompt({view.substr(0, cut), "", view.substr(cut)}, 256);
    ASSERT_EQ(pieces.blocks.size(), whole.blocks.size());
    for (size_t i = 0; i < whole.blocks.size(); ++i)
      EXPECT_EQ(pieces.blocks[i].hash, whole.blocks[i].hash) << cut << " " << i;
  }
}

TEST(PromptBlocks, NumberIsBoundedAndEndsFollowTheRule) {
  const PromptBlocks huge = HashPrompt({std::string(size_t{8} << 20, 'x')}, 64);
  EXPECT_EQ(huge.blocks.size(), limits::kPromptBlocksMax);
  EXPECT_EQ(huge.tokens, (8 << 20) / kBytesPerToken);
  size_t end = 0;
  for (const PromptBlock& block : huge.blocks) {
    end = NextBlockEnd(end, 64);
    EXPECT_EQ(block.end_tokens, static_cast<int32_t>(end) / kBytesPerToken);
  }
  EXPECT_TRUE(HashPrompt({"short"}, 512).blocks.empty());
}

TEST(PrefixMap, FindsTheLongestBeginningOfEveryEngine) {
  PrefixMap map(1 << 12);
  const std::string text = Text(30'000, 4);
  const PromptBlocks whole = HashPrompt({text}, 512);
  map.Put(HashPrompt({std::string_view(text).substr(0, 10'000)}, 512).blocks, 1, 0);
  map.Put(whole.blocks, 2, 0);
  const auto found = Longest(map, whole);
  EXPECT_EQ(found.size(), 2U);
  EXPECT_EQ(found.at(2), whole.blocks.size());
  EXPECT_EQ(found.at(1), HashPrompt({std::string_view(text).substr(0, 10'000)}, 512).blocks.size());
  EXPECT_TRUE(Longest(map, HashPrompt({Text(30'000, 5)}, 512)).empty());
}

TEST(PrefixMap, MemoryIsBoundedAndTheNewestStays) {
  PrefixMap map(1 << 10);
  EXPECT_EQ(map.capacity(), 1U << 10);
  for (int i = 0; i < 2000; ++i) map.Put(HashPrompt({std::to_string(i) + Text(4096, 6)}, 512).blocks, 3, i * 1024);
  const PromptBlocks last = HashPrompt({"1999" + Text(4096, 6)}, 512);
  EXPECT_EQ(Longest(map, last).at(3), last.blocks.size());
  EXPECT_TRUE(Longest(map, HashPrompt({"0" + Text(4096, 6)}, 512)).empty());
}

TEST(PrefixMap, PlacesAreOfOneEngineAndMayGo) {
  PrefixMap map(1);  // one bucket
  const PromptBlocks prompt = HashPrompt({Text(1024, 1)}, 512);
  ASSERT_EQ(prompt.blocks.size(), 2U);
  map.Put(prompt.blocks, 1, 64 * 5);
  const PrefixMap::Places own(map, prompt.blocks, 1);
  const PrefixMap::Places foreign(map, prompt.blocks, 2);
  EXPECT_EQ(own.TicksOf(0), 5U);
  EXPECT_EQ(own.TicksOf(1), 5U);
  EXPECT_EQ(foreign.TicksOf(0), std::nullopt);
  for (int i = 0; i < 40; ++i) map.Put(HashPrompt({std::to_string(i) + Text(1024, 2)}, 512).blocks, 3, 64 * 100);
  EXPECT_TRUE(Longest(map, prompt).empty());
  map.Put(prompt.blocks, 1, 64 * 101, own);  // the old places belong to others now
  EXPECT_EQ(Longest(map, prompt).at(1), 2U);
  EXPECT_EQ(PrefixMap::Places(map, prompt.blocks, 1).TicksOf(1), 101U);
}

TEST(EngineFleet, ForgetsWhatTheEngineHasHadToDrop) {
  EngineFleet fleet({SIZE_MAX, SIZE_MAX}, nullptr);
  fleet.at(0).kv_tokens = 100'000;
  const config::StrategyArgs args;
  const TimePoint now{std::chrono::hours(1)};
  const PromptBlocks prompt = HashPrompt({Text(40'000, 7)}, 512);
  EngineFleet::Cached cached;
  const auto send = [&](const PromptBlocks& sent) {
    cached.Find(fleet, sent, args);
    fleet.OnSent(0, sent, cached, args, now);
    cached.Find(fleet, prompt, args);
  };
  send(prompt);
  EXPECT_GT(cached.TokensOf(0), 8000);
  EXPECT_EQ(cached.TokensOf(1), 0);
  send(HashPrompt({Text(200'000, 8)}, 512));
  EXPECT_GT(cached.TokensOf(0), 8000) << "half of the cache is still there";
  send(HashPrompt({Text(240'000, 9)}, 512));
  EXPECT_EQ(cached.TokensOf(0), 0);
}

// What everybody uses is at the front of the cache anyway: it must not make the rest look old.
TEST(EngineFleet, SharedBeginningPassesNobody) {
  EngineFleet fleet({SIZE_MAX}, nullptr);
  fleet.at(0).kv_tokens = 100'000;
  const config::StrategyArgs args;
  EngineFleet::Cached cached;
  const PromptBlocks shared = HashPrompt({Text(40'000, 1)}, 512);
  for (int i = 0; i < 50; ++i) {
    cached.Find(fleet, shared, args);
    fleet.OnSent(0, shared, cached, args, TimePoint{});
  }
  // Of 500,000 tokens sent: the first time all of them, then what lies behind the last whole block.
  EXPECT_LT(fleet.at(0).cache_clock.load(), 40'000);
}

// A reload that moves rows must not send conversations to the wrong engine.
TEST(EngineFleet, KeepsItsKnowledgeWhenRowsMove) {
  EngineFleet old({SIZE_MAX, SIZE_MAX, SIZE_MAX}, nullptr);
  const config::StrategyArgs args;
  const PromptBlocks prompt = HashPrompt({Text(8000, 7)}, 512);
  EngineFleet::Cached cached;
  old.OnSent(2, prompt, cached, args, TimePoint{});
  const EngineFleet next({2, SIZE_MAX, 0}, &old);
  EXPECT_EQ(&next.at(0), &old.at(2));
  cached.Find(next, prompt, args);
  EXPECT_GT(cached.TokensOf(0), 1500);
  EXPECT_EQ(cached.TokensOf(1), 0);
  EXPECT_EQ(cached.TokensOf(2), 0);
}

}  // namespace
}  // namespace gw::routing
