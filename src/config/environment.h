// Where does a variable come from, and which os.environ/ references does a document hold?
//
// Order: environment_variables of the file, the process, .env. Nothing is ever exported.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/yaml_node.h"

namespace gw::config {

class LoadContext;

class Environment {
 public:
  using Lookup = std::function<std::optional<std::string>(std::string_view)>;

  explicit Environment(Lookup process) : process_(std::move(process)) {}

  [[nodiscard]] std::optional<std::string> Get(std::string_view name) const;
  // The first of a comma list that is set and not empty.
  [[nodiscard]] std::optional<std::string> FirstOf(std::string_view names) const;
  [[nodiscard]] bool IsTrue(std::string_view name) const;

  // Lines of a .env file: NAME=value, quotes, comments, ${NAME} and ${NAME:-default}.
  void AddDotenv(std::string_view text);
  void SetFromFile(std::string name, std::string value);

 private:
  [[nodiscard]] std::string Expand(std::string_view text) const;

  Lookup process_;
  std::map<std::string, std::string, std::less<>> dotenv_;
  std::map<std::string, std::string, std::less<>> from_file_;
};

// Numbers of the environment; an unparsable one is reported and ignored.
[[nodiscard]] std::optional<double> EnvNumber(LoadContext& context, std::string_view name);
[[nodiscard]] std::optional<int64_t> EnvInt(LoadContext& context, std::string_view name);

// Reads the section `environment_variables` into the environment.
void ApplyEnvironmentVariables(LoadContext& context, const yaml::Node& root);
// Replaces os.environ/NAME values of mappings, at any depth, also in mappings inside lists.
// compat: plain strings inside a list are left alone.
void ResolveReferences(LoadContext& context, yaml::Node& node, std::string_view path);

}  // namespace gw::config
