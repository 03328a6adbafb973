// How is an object named?
#include "telemetry/s3_key.h"

#include <algorithm>

#include "base/strings.h"
#include "telemetry/payload.h"

namespace gw::telemetry {
namespace {

constexpr size_t kKeyBytesMax = 1024;
constexpr size_t kFileNameBytesMax = 250;  // with .json 255

// What ends names and headers becomes '_'.
std::string Plain(std::string text) {
  for (char& c : text) {
    const bool is_odd = static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f;
    if (is_odd || c == '/' || c == ':' || c == '"' || c == '\\') c = '_';
  }
  return text;
}

// A name that is too long keeps its beginning and gets a digest of the whole.
std::string Bounded(const std::string& name, size_t most) {
  if (name.size() <= most) return name;
  const std::string digest = Sha256Hex(name).substr(0, 32);
  return name.substr(0, most > digest.size() + 1 ? most - digest.size() - 1 : 0) + "_" + digest;
}

}  // namespace

S3Object NameObject(const config::S3Settings& settings, const json::Object& payload, int64_t begin_unix_ns) {
  std::string prefix = settings.path.empty() ? "" : settings.path + "/";
  const json::Value* metadata = json::Get(payload, "metadata");
  const auto add = [&](bool wanted, std::string_view key) {
    if (!wanted || metadata == nullptr || !metadata->is_object()) return;
    const std::string_view name = json::GetString(metadata->get_object(), key);
    if (!name.empty()) prefix += std::string(name) + "/";
  };
  add(settings.use_team_prefix, "user_api_key_team_alias");
  add(settings.use_key_prefix, "user_api_key_alias");
  prefix += UtcMicros(begin_unix_ns, settings.partition_by_hour ? "{:%Y-%m-%d/%H/}" : "{:%Y-%m-%d/}");
  prefix.resize(prefix.size() - 6);  // without the microseconds
  const std::string id = Plain(std::string(json::GetString(payload, "id")));
  S3Object out;
  const size_t room = prefix.size() + 5 < kKeyBytesMax ? kKeyBytesMax - prefix.size() - 5 : 64;
  const std::string name = "time-" + UtcMicros(begin_unix_ns, "{:%H-%M-%S-}") + "_" + id;
  const std::string full_name = "time-" + UtcMicros(begin_unix_ns, "{:%Y-%m-%dT%H-%M-%S-}") + "_" + id;
  out.key = prefix + Bounded(name, std::min(room, kFileNameBytesMax)) + ".json";
  out.file_name = Bounded(full_name, kFileNameBytesMax) + ".json";
  return out;
}

std::string BatchStamp(int64_t unix_s) {
  std::string stamp = UtcMicros(unix_s * 1'000'000'000, "{:%H-%M-%S}");
  stamp.resize(stamp.size() - 6);
  return stamp;
}

}  // namespace gw::telemetry
