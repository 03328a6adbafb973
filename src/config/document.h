// The root file and everything it includes, as one mapping.
#pragma once

#include <optional>
#include <string>

#include "config/load_context.h"

namespace gw::config {

// nullopt after a fatal finding (exit code 1).
[[nodiscard]] std::optional<yaml::Node> LoadDocument(LoadContext& context, const std::string& path);
// nullopt when the file cannot be read.
[[nodiscard]] std::optional<std::string> ReadFile(const std::string& path);

}  // namespace gw::config
