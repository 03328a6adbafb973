// What did the collector not take? The partial success of an export's answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gw::telemetry {

struct PartialSuccess {
  int64_t rejected = 0;
  std::string message;  // cut, printable
};
// Protobuf or JSON; what cannot be read says nothing.
[[nodiscard]] PartialSuccess ParseExportAnswer(std::string_view body, bool is_json);

}  // namespace gw::telemetry
