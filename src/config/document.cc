// Which files make up the configuration, and how are they merged?
#include "config/document.h"

#include <deque>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config/value_reader.h"
#include "config/yaml_parser.h"

namespace gw::config {
namespace {

namespace fs = std::filesystem;

struct Pending {
  fs::path path;
  yaml::Place place;
};

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::optional<yaml::Node> ParseFile(LoadContext& context, const std::string& path,
                                    yaml::Place wanted_at) {
  const auto text = Exists(path) ? ReadFile(path) : std::nullopt;
  if (!text) {
    context.Fatal(kExitUnreadable, wanted_at, "", "Config file not found: " + path);
    return std::nullopt;
  }
  const int file = context.AddFile(path);
  yaml::Parsed parsed = yaml::Parse(*text, file);
  if (parsed.error) {
    context.Fatal(kExitUnreadable, parsed.error->place, "",
                  "invalid YAML: " + parsed.error->message);
    return std::nullopt;
  }
  for (yaml::Problem& warning : parsed.warnings) {
    context.Warn(warning.place, "", std::move(warning.message));
  }
  if (parsed.root.IsNull() || (parsed.root.IsMapping() && parsed.root.members.empty())) {
    if (wanted_at.line > 0) return parsed.root;  // an empty included file adds nothing
    context.Fatal(kExitUnreadable, {file, 1, 1}, "", "Config cannot be None or Empty.");
    return std::nullopt;
  }
  if (!parsed.root.IsMapping()) {
    context.Fatal(
        kExitUnreadable, parsed.root.place, "",
        "expected a mapping of sections, got a " + std::string(yaml::KindName(parsed.root.kind)));
    return std::nullopt;
  }
  return std::move(parsed.root);
}

// False after a fatal finding.
bool QueueIncludes(LoadContext& context, const yaml::Node& node, const fs::path& declaring,
                   const fs::path& root, std::deque<Pending>& queue) {
  const yaml::Node* list = node.Find("include");
  if (list == nullptr || list->IsNull()) return true;
  if (!list->IsSequence()) {
    context.Fatal(kExitUnreadable, list->place, "include",
                  "expected list of file names, got a " + std::string(KindName(list->kind)));
    return false;
  }
  for (size_t i = 0; i < list->items.size(); ++i) {
    const yaml::Node& item = list->items[i];
    if (!item.IsString()) {
      context.Fatal(kExitUnreadable, item.place, Indexed("include", i), "expected a file name");
      return false;
    }
    fs::path path = declaring.parent_path() / item.text;
    const fs::path from_root = root.parent_path() / item.text;
    if (!Exists(path) && Exists(from_root)) {
      context.Warn(item.place, Indexed("include", i),
                   "not found beside the file that includes it; taken from beside the root file");
      path = from_root;
    }
    queue.push_back({path, item.place});
  }
  return true;
}

// Lists are appended, every other value is replaced, whole mappings too.
void Merge(yaml::Node& into, yaml::Node from) {
  for (yaml::Member& member : from.members) {
    const std::string key = yaml::KeyText(member.key);
    if (key == "include") continue;
    yaml::Node* present = into.Find(key);
    if (present != nullptr && present->IsSequence() && member.value.IsSequence()) {
      for (yaml::Node& item : member.value.items) present->items.push_back(std::move(item));
    } else if (present != nullptr) {
      *present = std::move(member.value);
    } else {
      into.members.push_back(std::move(member));
    }
  }
}

}  // namespace

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return std::nullopt;
  return std::move(text).str();
}

std::optional<yaml::Node> LoadDocument(LoadContext& context, const std::string& path) {
  auto root = ParseFile(context, path, {});
  if (!root) return std::nullopt;
  std::set<fs::path> seen = {fs::absolute(path).lexically_normal()};
  std::deque<Pending> queue;
  if (!QueueIncludes(context, *root, path, path, queue)) return std::nullopt;
  while (!queue.empty()) {
    const Pending next = queue.front();
    queue.pop_front();
    if (!seen.insert(fs::absolute(next.path).lexically_normal()).second) {
      context.Warn(next.place, "include", next.path.string() + " is already included");
      continue;
    }
    auto node = ParseFile(context, next.path.string(), next.place);
    if (!node || !QueueIncludes(context, *node, next.path, path, queue)) return std::nullopt;
    Merge(*root, std::move(*node));
  }
  return root;
}

}  // namespace gw::config
