#include "cache/policy.h"

#include <algorithm>

#include "base/strings.h"

namespace gw::cache {

namespace {

// compat: what LiteLLM's tiers do when no ttl is configured.
constexpr double kMemoryTtlS = 600;
constexpr double kRedisTtlS = 60;
// LiteLLM keeps them for ever; nothing grows without a bound here.
constexpr double kSemanticTtlS = 86'400;
// A namespace is a part of every key of the request.
constexpr size_t kNamespaceBytesMax = 128;

std::optional<double> Seconds(const json::Member& member) {
  const auto value = member.kind == json::Kind::kString ? ParseDouble(Trim(json::Unquote(member.value)))
                                                        : json::ToDouble(member.value);
  return value && *value >= 0 && *value < 1e9 ? value : std::nullopt;
}

bool IsTrue(const json::Member& member) {
  return member.kind == json::Kind::kTrue ||
         (member.kind == json::Kind::kString && EqualsIgnoreCase(json::Unquote(member.value), "true"));
}

double TierTtl(config::CacheType type) {
  switch (type) {
    case config::CacheType::kRedis: return kRedisTtlS;
    case config::CacheType::kRedisSemantic: return kSemanticTtlS;
    case config::CacheType::kLocal:
    case config::CacheType::kOff: break;
  }
  return kMemoryTtlS;
}

bool Covers(const config::CacheSettings& settings, api::Endpoint endpoint, size_t messages) {
  switch (endpoint) {
    case api::Endpoint::kChat:
      return settings.chat && messages <= static_cast<size_t>(settings.max_messages);
    case api::Endpoint::kCompletions:
      return settings.completions;
    case api::Endpoint::kEmbeddings:
      return settings.embeddings && !settings.is_semantic();  // a similar text has another vector
    case api::Endpoint::kTranscriptions:
      return settings.transcriptions && !settings.is_semantic();
    case api::Endpoint::kMessages:
    case api::Endpoint::kSpeech:
      return false;  // compat: not among the call types that LiteLLM caches
  }
  return false;
}

}  // namespace

void ReadCacheObject(std::string_view value, Controls& controls) {
  if (json::KindOf(value) != json::Kind::kObject) return;
  std::string decoded;
  for (json::MemberCursor c(value); c.Next();) {
    const json::Member& member = c.member();
    const std::string_view key = member.PlainKey(decoded);
    if (key == "no-cache") controls.no_cache = IsTrue(member);
    else if (key == "no-store") controls.no_store = IsTrue(member);
    else if (key == "use-cache") controls.use_cache = IsTrue(member);
    else if (key == "ttl") controls.ttl_s = Seconds(member);
    else if (key == "s-maxage" || key == "s-max-age") controls.max_age_s = Seconds(member);
    else if (key == "namespace" && member.kind == json::Kind::kString) {
      std::string name = json::Unquote(member.value);
      if (!name.empty() && name.size() <= kNamespaceBytesMax) controls.name_space = std::move(name);
    }
  }
}

void ReadCacheControl(std::string_view header, Controls& controls) {
  for (const std::string_view part : Split(header, ',')) {
    const std::string_view directive = Trim(part);
    const size_t mark = directive.find('=');
    const std::string_view name = Trim(directive.substr(0, mark));
    const auto seconds = mark == std::string_view::npos ? std::nullopt : ParseDouble(Trim(directive.substr(mark + 1)));
    const bool is_time = seconds && *seconds >= 0 && *seconds < 1e9;
    if (EqualsIgnoreCase(name, "no-cache")) controls.no_cache = true;
    else if (EqualsIgnoreCase(name, "no-store")) controls.no_store = true;
    else if (EqualsIgnoreCase(name, "max-age") && is_time && !controls.max_age_s) controls.max_age_s = seconds;
    else if (EqualsIgnoreCase(name, "s-maxage") && is_time && !controls.ttl_s) controls.ttl_s = seconds;
  }
}

Decision Decide(const config::CacheSettings& settings, api::Endpoint endpoint, size_t messages,
                const Controls& controls) {
  Decision decision;
  if (!settings.on() || controls.off || !Covers(settings, endpoint, messages)) return decision;
  if (!settings.default_on && !controls.use_cache) return decision;
  const double ttl = controls.ttl_s.value_or(settings.ttl_s.value_or(TierTtl(settings.type)));
  decision.ttl = FromSeconds(ttl);
  decision.lookup = !controls.no_cache;
  decision.store = !controls.no_store && ttl > 0;
  decision.max_age_s = controls.max_age_s;
  decision.name_space = controls.name_space.value_or(settings.name_space);
  return decision;
}

bool IsFresh(const Decision& decision, int64_t stored_unix_ms, int64_t now_unix_ms) {
  if (!decision.max_age_s) return true;
  const int64_t age_ms = std::max<int64_t>(0, now_unix_ms - stored_unix_ms);
  return static_cast<double>(age_ms) <= *decision.max_age_s * 1000;
}

}  // namespace gw::cache
