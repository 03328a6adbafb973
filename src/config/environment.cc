// Where does a variable come from, and which references does the document hold?
#include "config/environment.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/load_context.h"
#include "config/schema.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr std::string_view kReference = "os.environ/";

bool IsForbiddenName(std::string_view name) {
  constexpr std::array<std::string_view, 14> kNames = {
      "PATH",     "LD_PRELOAD", "LD_LIBRARY_PATH", "HOME",      "USER",      "SHELL",    "LOGNAME",
      "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY",     "ALL_PROXY", "FTP_PROXY", "LD_AUDIT", "IFS"};
  if (StartsWithIgnoreCase(name, "DYLD_") || StartsWithIgnoreCase(name, "PYTHON")) return true;
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view n) { return EqualsIgnoreCase(n, name); });
}

// The value part of a .env line, quotes and trailing comment removed; true: `${}` is expanded.
bool DotenvValue(std::string_view text, std::string& out) {
  text = Trim(text);
  if (text.empty()) return true;
  const char quote = text[0];
  if (quote != '"' && quote != '\'') {
    const size_t comment = text.find(" #");
    out = Trim(text.substr(0, comment));
    return true;
  }
  for (size_t i = 1; i < text.size() && text[i] != quote; ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == quote || next == '\\') {
      out += next;
    } else if (quote == '"' && (next == 'n' || next == 't' || next == 'r')) {
      out += next == 'n' ? '\n' : next == 't' ? '\t' : '\r';
    } else {
      out += '\\';
      out += next;
    }
  }
  return quote == '"';
}

}  // namespace

std::optional<std::string> Environment::Get(std::string_view name) const {
  if (const auto found = from_file_.find(name); found != from_file_.end()) return found->second;
  if (process_) {
    if (auto value = process_(name)) return value;
  }
  if (const auto found = dotenv_.find(name); found != dotenv_.end()) return found->second;
  return std::nullopt;
}

std::optional<std::string> Environment::FirstOf(std::string_view names) const {
  for (const std::string_view name : Split(names, ',')) {
    if (name.empty()) continue;
    auto value = Get(name);
    if (value && !value->empty()) return value;
  }
  return std::nullopt;
}

bool Environment::IsTrue(std::string_view name) const {
  const auto value = Get(name);
  return value && (EqualsIgnoreCase(*value, "true") || *value == "1");
}

std::string Environment::Expand(std::string_view text) const {
  std::string out;
  while (true) {
    const size_t begin = text.find("${");
    const size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) break;
    out += text.substr(0, begin);
    const std::string_view inside = text.substr(begin + 2, end - begin - 2);
    const size_t fallback = inside.find(":-");
    if (const auto value = Get(inside.substr(0, fallback))) {
      out += *value;
    } else if (fallback != std::string_view::npos) {
      out += inside.substr(fallback + 2);
    }
    text.remove_prefix(end + 1);
  }
  out += text;
  return out;
}

void Environment::AddDotenv(std::string_view text) {
  for (std::string_view line : Split(text, '\n')) {
    line = Trim(line);
    if (line.starts_with("export ")) line = Trim(line.substr(7));
    const size_t equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string_view::npos) continue;
    std::string value;
    const bool expands = DotenvValue(line.substr(equals + 1), value);
    dotenv_[std::string(Trim(line.substr(0, equals)))] = expands ? Expand(value) : value;
  }
}

void Environment::SetFromFile(std::string name, std::string value) {
  from_file_[std::move(name)] = std::move(value);
}

std::optional<double> EnvNumber(LoadContext& context, std::string_view name) {
  const auto text = context.env.Get(name);
  if (!text || text->empty()) return std::nullopt;
  const auto value = AsNumber(yaml::MakeString(*text));
  if (!value) {
    context.Warn({}, std::string(name), "environment variable is not a number; the default counts");
  }
  return value;
}

std::optional<int64_t> EnvInt(LoadContext& context, std::string_view name) {
  const auto value = EnvNumber(context, name);
  if (!value) return std::nullopt;
  yaml::Node node;
  node.kind = yaml::Kind::kFloat;
  node.real = *value;
  const auto whole = AsInt(node);
  if (!whole) {
    context.Warn({}, std::string(name),
                 "environment variable is not an integer; the default counts");
  }
  return whole;
}

void ApplyEnvironmentVariables(LoadContext& context, const yaml::Node& root) {
  const yaml::Node* section = ReadMap(root, "environment_variables");
  if (section == nullptr) return;
  for (const yaml::Member& member : section->members) {
    const std::string path = Join("environment_variables", yaml::KeyText(member.key));
    if (!member.key.IsString()) {
      context.Warn(member.key.place, path, "the name is not a string; skipped");
      continue;
    }
    const std::string& name = member.key.text;
    if (IsForbiddenName(name)) {
      context.Warn(member.key.place, path, "this variable cannot be set here; skipped");
      continue;
    }
    if (member.value.IsNull() || member.value.IsMapping() || member.value.IsSequence()) {
      context.Warn(member.value.place, path, "expected a string; skipped");
      continue;
    }
    std::string value = yaml::KeyText(member.value);
    // compat: Python's str(True).
    if (member.value.kind == yaml::Kind::kBool) value = member.value.boolean ? "True" : "False";
    if (value.starts_with(kReference)) {
      const auto resolved = context.env.Get(std::string_view(value).substr(kReference.size()));
      if (!resolved) {
        context.Warn(member.value.place, path, "environment variable is not set; skipped");
        continue;
      }
      value = *resolved;
    }
    if (const auto present = context.env.Get(name); present && *present != value) {
      context.Warn(member.key.place, path, "overrides the process's own variable");
    } else {
      context.Add(Severity::kInfo, KeyStatus::kEffective, member.key.place, path,
                  "counts as set in the environment");
    }
    context.env.SetFromFile(name, std::move(value));
  }
}

namespace {

void ResolveOne(LoadContext& context, yaml::Node& node, std::string_view path) {
  const std::string name = node.text.substr(kReference.size());
  const auto value = context.env.Get(name);
  node.env_name = name;
  if (value) {
    node.text = *value;
    return;
  }
  context.Warn(node.place, path, "environment variable " + name + " is not set: the value is null");
  node.kind = yaml::Kind::kNull;
  node.text.clear();
}

// alert_to_webhook_url: its reader replaces references in lists, as LiteLLM does there.
bool ResolvesItsLists(std::string_view path) { return path == "general_settings.alert_to_webhook_url"; }

}  // namespace

void ResolveReferences(LoadContext& context, yaml::Node& node, std::string_view path) {
  for (yaml::Member& member : node.members) {
    const std::string key = yaml::KeyText(member.key);
    if (path.empty() && key == "environment_variables") continue;
    const std::string member_path = Join(path, key);
    if (member.value.IsString() && member.value.text.starts_with(kReference)) {
      ResolveOne(context, member.value, member_path);
    } else if (member.value.IsMapping()) {
      ResolveReferences(context, member.value, member_path);
    }
    for (size_t i = 0; i < member.value.items.size(); ++i) {
      yaml::Node& item = member.value.items[i];
      if (item.IsMapping()) {
        ResolveReferences(context, item, Indexed(member_path, i));
      } else if (item.IsString() && item.text.starts_with(kReference) && !ResolvesItsLists(path)) {
        context.Warn(item.place, Indexed(member_path, i),
                     "os.environ/ is not replaced in a plain list item");
      }
    }
  }
}

}  // namespace gw::config
