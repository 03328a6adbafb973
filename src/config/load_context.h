// What the parts of the loader share: the files read, the environment, and the findings so far.
// Lives for one Load(); one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/environment.h"
#include "config/loader.h"
#include "config/yaml_node.h"

namespace gw::config {

// As the reference ends: 1 before anything is started, 3 when the settings forbid the start.
inline constexpr int kExitUnreadable = 1;
inline constexpr int kExitRefused = 3;

class LoadContext {
 public:
  explicit LoadContext(Environment environment) : env(std::move(environment)) {}

  Environment env;

  // Index for yaml::Place::file.
  int AddFile(std::string name);
  [[nodiscard]] const std::string& FileName(int index) const;
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }

  void Add(Severity severity, KeyStatus status, yaml::Place place, std::string_view path,
           std::string message);
  void Warn(yaml::Place place, std::string_view path, std::string message);
  // An error that the program survives: a dropped row.
  void Error(yaml::Place place, std::string_view path, std::string message);
  // An error that forbids the start. The first one decides about the exit code.
  void Fatal(int exit_code, yaml::Place place, std::string_view path, std::string message);

  [[nodiscard]] int exit_code() const { return exit_code_; }
  // Files in the order they were read, lines rising; what has no place comes last.
  [[nodiscard]] std::vector<Finding> TakeFindings();

 private:
  struct Entry {
    yaml::Place place;
    Finding finding;
  };
  std::vector<std::string> files_;
  std::vector<Entry> entries_;
  int exit_code_ = 0;
};

// "router_settings" + "timeout" -> "router_settings.timeout".
[[nodiscard]] std::string Join(std::string_view path, std::string_view key);
[[nodiscard]] std::string Indexed(std::string_view path, size_t index);

}  // namespace gw::config
