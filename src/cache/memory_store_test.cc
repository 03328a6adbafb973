#include "cache/memory_store.h"

#include <gtest/gtest.h>

#include <thread>

namespace gw::cache {
namespace {

using std::chrono::seconds;

const TimePoint kStart = TimePoint() + std::chrono::hours(1);

EntryPtr Make(std::string body) {
  auto entry = std::make_shared<Entry>();
  entry->body = std::move(body);
  return entry;
}

MemoryBounds OneShard(size_t entries, size_t bytes) { return {entries, bytes, bytes}; }

TEST(MemoryStore, GivesTheVeryEntryUntilItsEnd) {
  MemoryStore store(MemoryBounds{});
  const EntryPtr entry = Make("a");
  store.Put("k", entry, kStart, seconds(2));
  EXPECT_EQ(store.Get("k", kStart + seconds(1)), entry) << "no copy";
  EXPECT_EQ(store.Get("k", kStart + seconds(2)), nullptr);
  EXPECT_EQ(store.entries(), 0U) << "an expired entry that was met is gone";
  EXPECT_EQ(store.bytes(), 0U);
}

TEST(MemoryStore, ReplacesDeletesAndClears) {
  MemoryStore store(MemoryBounds{});
  store.Put("k", Make("a"), kStart, seconds(9));
  store.Put("k", Make("b"), kStart, seconds(9));
  EXPECT_EQ(store.entries(), 1U);
  EXPECT_EQ(store.Get("k", kStart)->body, "b");
  EXPECT_TRUE(store.Delete("k"));
  EXPECT_FALSE(store.Delete("k"));
  for (int i = 0; i < 100; ++i) store.Put(std::to_string(i), Make("x"), kStart, seconds(9));
  store.Clear();
  EXPECT_EQ(store.entries(), 0U);
  EXPECT_EQ(store.bytes(), 0U);
  store.Put("again", Make("x"), kStart, seconds(9));
  EXPECT_NE(store.Get("again", kStart), nullptr);
}

TEST(MemoryStore, WhatIsReadStaysWhenItIsFull) {
  MemoryStore store(OneShard(8, size_t{1} << 20));
  ASSERT_EQ(store.shards(), 1U);
  for (int i = 0; i < 8; ++i) store.Put(std::to_string(i), Make("x"), kStart, seconds(9));
  for (int round = 0; round < 50; ++round) {
    ASSERT_NE(store.Get("3", kStart), nullptr) << round;
    store.Put("new" + std::to_string(round), Make("x"), kStart, seconds(9));
  }
  EXPECT_EQ(store.entries(), 8U);
}

TEST(MemoryStore, ExpiredOnesGoFirst) {
  MemoryStore store(OneShard(2, size_t{1} << 20));
  store.Put("old", Make("x"), kStart, seconds(1));
  store.Put("kept", Make("x"), kStart, seconds(9));
  (void)store.Get("old", kStart);
  (void)store.Get("kept", kStart);
  store.Put("new", Make("x"), kStart + seconds(2), seconds(9));
  EXPECT_NE(store.Get("kept", kStart + seconds(2)), nullptr);
  EXPECT_NE(store.Get("new", kStart + seconds(2)), nullptr);
}

TEST(MemoryStore, BytesAreBounded) {
  const MemoryBounds bounds{1'000'000, size_t{1} << 20, 64 * 1024};
  MemoryStore store(bounds);
  for (int i = 0; i < 1000; ++i) {
    store.Put("key" + std::to_string(i), Make(std::string(10'000, 'x')), kStart, seconds(9));
    ASSERT_LE(store.bytes(), bounds.bytes_max);
  }
  EXPECT_GT(store.entries(), 50U);
  store.Put("huge", Make(std::string(65 * 1024, 'x')), kStart, seconds(9));
  EXPECT_EQ(store.Get("huge", kStart), nullptr);
}

TEST(MemoryStore, TheSmallestBoundsStillWork) {
  MemoryStore store(MemoryBounds{1, 2000, 2000});
  store.Put("a", Make("x"), kStart, seconds(9));
  store.Put("b", Make("x"), kStart, seconds(9));
  EXPECT_EQ(store.Get("a", kStart), nullptr);
  EXPECT_NE(store.Get("b", kStart), nullptr);
  store.Put("c", Make("x"), kStart, seconds(0));
  EXPECT_EQ(store.Get("c", kStart), nullptr);
}

TEST(MemoryStore, ThreadsShareIt) {
  MemoryStore store(MemoryBounds{500, size_t{1} << 20, 1 << 12});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 20'000; ++i) {
        const std::string key = std::to_string((i * 7 + t) % 900);
        const EntryPtr found = store.Get(key, kStart + std::chrono::milliseconds(i));
        if (found != nullptr) ASSERT_EQ(found->body, key);
        else store.Put(key, Make(key), kStart + std::chrono::milliseconds(i), seconds(2));
        if (i % 5000 == 0) store.Clear();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(store.entries(), 500U);
}

}  // namespace
}  // namespace gw::cache
