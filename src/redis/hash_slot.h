// Which of a cluster's 16384 slots does a key lie in? CRC16 (XMODEM) of the key, or of the part
// between the first '{' and the next '}' when that is not empty: keys of one script share it.
#pragma once

#include <cstdint>
#include <string_view>

namespace gw::redis {

inline constexpr uint16_t kSlots = 16'384;

[[nodiscard]] uint16_t Crc16(std::string_view bytes);
[[nodiscard]] uint16_t SlotOf(std::string_view key);

}  // namespace gw::redis
