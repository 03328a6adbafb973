// Do keys land in the slots that Redis puts them in?
#include "redis/hash_slot.h"

#include <gtest/gtest.h>

namespace gw::redis {
namespace {

TEST(HashSlot, KnownVectors) {
  EXPECT_EQ(Crc16("123456789"), 0x31C3) << "the vector of the cluster specification";
  EXPECT_EQ(Crc16(""), 0);
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf("bar"), 5061);
  EXPECT_EQ(SlotOf("hello"), 866);
}

TEST(HashSlot, TheTagAloneCounts) {
  EXPECT_EQ(SlotOf("gw:{foo}:use"), SlotOf("foo"));
  EXPECT_EQ(SlotOf("{foo}{bar}"), SlotOf("foo"));
  EXPECT_EQ(SlotOf("a{{bar}}b"), Crc16("{bar") % kSlots);
  EXPECT_EQ(SlotOf("a{}{bar}"), Crc16("a{}{bar}") % kSlots) << "an empty tag is none";
  EXPECT_EQ(SlotOf("a{bar"), Crc16("a{bar") % kSlots);
}

}  // namespace
}  // namespace gw::redis
