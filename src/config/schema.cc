// Is a key known, does its value fit, and what was probably meant?
#include "config/schema.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr size_t kShownBytesMax = 60;

// Insertions, deletions, changes and swapped neighbours, each 1.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  const auto same = [&](size_t i, size_t j) { return AsciiLower(a[i]) == AsciiLower(b[j]); };
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = d[i - 1][j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

bool IsStringList(const yaml::Node& node) {
  return node.IsSequence() && std::all_of(node.items.begin(), node.items.end(),
                                          [](const yaml::Node& n) { return n.IsString(); });
}

}  // namespace

std::span<const KeySpec> SchemaOf(Section section) {
  std::span<const KeySpec> rows;
  switch (section) {
    case Section::kTop:
    case Section::kModelRow:
    case Section::kLitellmParams:
    case Section::kRequestParams:
    case Section::kModelInfo:
    case Section::kCredential:
      rows = ModelSchemaRows();
      break;
    case Section::kLitellmSettings:
      rows = LitellmSettingsSchemaRows();
      break;
    case Section::kCacheParams:
      rows = CacheSchemaRows();
      break;
    case Section::kRouterSettings:
    case Section::kRetryPolicy:
    case Section::kAllowedFailsPolicy:
      rows = RouterSettingsSchemaRows();
      break;
    case Section::kGeneralSettings:
      rows = GeneralSettingsSchemaRows();
      break;
    case Section::kEnvironment:
      rows = EnvironmentSchemaRows();
      break;
  }
  // The rows of a section stand together in their table.
  const auto is_ours = [section](const KeySpec& row) { return row.section == section; };
  const auto begin = std::find_if(rows.begin(), rows.end(), is_ours);
  const auto end = std::find_if_not(begin, rows.end(), is_ours);
  return {begin, end};
}

const KeySpec* FindKey(Section section, std::string_view key) {
  const auto rows = SchemaOf(section);
  for (const KeySpec& row : rows) {
    if (row.key == key) return &row;
  }
  for (const KeySpec& row : rows) {
    if (row.key.find('*') != std::string_view::npos && GlobMatch(row.key, key, nullptr))
      return &row;
  }
  return nullptr;
}

std::string_view NearestKey(Section section, std::string_view key) {
  if (key.size() > 100) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, key.size() / 4) + 1;
  for (const KeySpec& row : SchemaOf(section)) {
    const size_t distance = EditDistance(key, row.key);
    if (distance < best_distance) {
      best_distance = distance;
      best = row.key;
    }
  }
  return best;
}

std::string_view TypeName(ValueType type) {
  switch (type) {
    case ValueType::kAny:
      return "any";
    case ValueType::kBool:
      return "boolean";
    case ValueType::kInt:
      return "integer";
    case ValueType::kNumber:
      return "number";
    case ValueType::kString:
      return "string";
    case ValueType::kStringList:
      return "list of strings";
    case ValueType::kList:
      return "list";
    case ValueType::kMap:
      return "mapping";
    case ValueType::kBoolOrPath:
      return "boolean or path";
    case ValueType::kStringOrList:
      return "string or list of strings";
    case ValueType::kScalar:
      return "string or number";
  }
  return "any";
}

bool FitsType(ValueType type, const yaml::Node& node) {
  if (node.IsNull()) return true;
  switch (type) {
    case ValueType::kAny:
      return true;
    case ValueType::kBool:
      return AsBool(node).has_value();
    case ValueType::kInt:
      return AsInt(node).has_value();
    case ValueType::kNumber:
      return AsNumber(node).has_value();
    case ValueType::kString:
      return node.IsString();
    case ValueType::kStringList:
      return IsStringList(node);
    case ValueType::kList:
      return node.IsSequence();
    case ValueType::kMap:
      return node.IsMapping();
    case ValueType::kBoolOrPath:
      return AsBool(node).has_value() || node.IsString();
    case ValueType::kStringOrList:
      return node.IsString() || IsStringList(node);
    case ValueType::kScalar:
      return node.IsString() || node.kind == yaml::Kind::kInt || node.kind == yaml::Kind::kFloat;
  }
  return true;
}

bool IsSecretKey(std::string_view key) {
  const std::string lower = ToLower(key);
  // "input_cost_per_token" and a credential's name are no secrets.
  if (lower.find("cost") != std::string::npos || lower.ends_with("credential_name")) return false;
  constexpr std::array<std::string_view, 12> kSecret = {
      "api_key",    "apikey",        "api-key",     "secret",     "password", "passwd",
      "credential", "authorization", "private_key", "access_key", "salt_key", "master_key"};
  for (const std::string_view part : kSecret) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return lower == "token" || lower == "key" || lower.ends_with("_token") ||
         lower.ends_with("-token") || lower.ends_with("_jwt") || lower == "client_cert" ||
         lower == "cookie" || lower == "database_url" || lower == "redis_url";
}

std::string Shown(const yaml::Node& node, std::string_view key) {
  if (node.IsMapping()) return "a mapping";
  if (node.IsSequence()) return "a list";
  if (IsSecretKey(key) || !node.env_name.empty()) {
    const bool is_integer = node.kind == yaml::Kind::kInt;
    std::string text(is_integer ? "an " : "a ");
    text.append(yaml::KindName(node.kind)).append(" (not shown)");
    return text;
  }
  std::string text;
  yaml::AppendJson(text, node);
  if (text.size() > kShownBytesMax) return text.substr(0, kShownBytesMax).append("...");
  return text;
}

}  // namespace gw::config
