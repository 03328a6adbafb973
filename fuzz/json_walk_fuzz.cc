// The span walkers against the tree parser: same members, same order, on every accepted document.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "base/json_tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text;
  text.reserve(size + gw::json::kPadding);
  text.assign(reinterpret_cast<const char*>(data), size);
  if (gw::json::Validate(text) != nullptr) return 0;
  const auto tree = gw::json::ParseTree(text);
  if (!tree) return 0;  // numbers out of range are refused by the tree only
  if (tree->is_object()) {
    size_t members = 0;
    for (gw::json::MemberCursor c(text); c.Next();) {
      ++members;
      const std::string key = gw::json::Unquote("\"" + std::string(c.member().key) + "\"");
      if (gw::json::Get(tree->get_object(), key) == nullptr && key.find("\xEF\xBF\xBD") == std::string::npos) abort();
      if (gw::json::ValidateUnpadded(c.member().value) != nullptr) abort();
    }
    if (members < tree->get_object().size()) abort();
  } else if (tree->is_array()) {
    size_t elements = 0;
    for (gw::json::ElementCursor c(text); c.Next();) ++elements;
    if (elements != tree->get_array().size()) abort();
  }
  return 0;
}
