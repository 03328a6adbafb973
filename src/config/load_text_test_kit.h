// Loads a configuration from its text, for tests: a file of its own, an environment that is given.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/loader.h"

namespace gw::config {

using Variables = std::map<std::string, std::string, std::less<>>;

// The master key is set; nothing else but `variables` is.
[[nodiscard]] inline Loaded LoadText(std::string_view text, const Variables& variables = {}) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("gw_load_text_" + std::to_string(getpid()) + ".yaml");
  std::ofstream(file) << text << "\n";
  LoadOptions options;
  options.read_dotenv = false;
  options.config_file = file.string();
  options.env = [&variables](std::string_view name) -> std::optional<std::string> {
    if (name == "LITELLM_MASTER_KEY") return "sk-test";
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  Loaded loaded = Load(options);
  std::filesystem::remove(file);
  return loaded;
}

}  // namespace gw::config
