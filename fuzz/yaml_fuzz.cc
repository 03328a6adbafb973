// The YAML reader with foreign text: no crash, no hang, and what it prints is JSON.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "base/json_tree.h"
#include "config/yaml_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const gw::config::yaml::Parsed parsed = gw::config::yaml::Parse(text);
  if (parsed.error) return 0;
  const std::string json = gw::json::Serialize(gw::config::yaml::ToJson(parsed.root));
  if (gw::json::ValidateUnpadded(json) != nullptr) std::abort();
  return 0;
}
