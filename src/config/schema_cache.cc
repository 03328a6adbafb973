// Keys of litellm_settings.cache_params.
#include "config/schema.h"

namespace gw::config {
namespace {

constexpr auto kOn = KeyStatus::kEffective;
constexpr auto kLater = KeyStatus::kNotSupportedYet;
using enum ValueType;

constexpr auto kS = Section::kCacheParams;

// One row per line, whatever its length.
// clang-format off
constexpr KeySpec kRows[] = {
    {kS, "type", kString, "redis", kOn, "local. redis is accepted and kept in memory until Redis is supported; semantic types are refused; s3, gcs, azure-blob and disk store nothing."},
    {kS, "mode", kString, "default_on", kOn, "default_off caches only requests that say cache: {use-cache: true}."},
    {kS, "ttl", kNumber, "600 in memory, 60 in Redis", kOn, "Seconds an answer is kept."},
    {kS, "default_in_memory_ttl", kNumber, "600", kOn, "Used when ttl is not given and the type is local."},
    {kS, "default_in_redis_ttl", kNumber, "60", kOn, "Used when ttl is not given and the type is redis."},
    {kS, "namespace", kScalar, "-", kOn, "Put before every key, with a colon."},
    {kS, "supported_call_types", kStringList, "all", kOn, "Which calls are cached: completion, text_completion, embedding, transcription."},
    {kS, "max_messages", kInt, "4", kOn, "Chats with more messages are never cached."},
    {kS, "memory_max_entries", kInt, "20000", kOn, "Ours: answers kept in memory at most."},
    {kS, "memory_max_mb", kNumber, "128", kOn, "Ours: memory of the local cache."},
    {kS, "max_entry_kb", kNumber, "1024", kOn, "Ours: larger answers are not kept."},
    {kS, "coalesce", kBool, "false", kOn, "Ours: identical requests that arrive meanwhile wait for the first one's answer."},
    {kS, "coalesce_wait", kNumber, "60", kOn, "Ours: seconds they wait before they go upstream themselves."},
    {kS, "host", kString, "REDIS_HOST", kLater, "Redis."},
    {kS, "port", kScalar, "REDIS_PORT", kLater, "Redis."},
    {kS, "password", kString, "REDIS_PASSWORD", kLater, "Redis."},
    {kS, "username", kString, "-", kLater, "Redis."},
    {kS, "url", kString, "REDIS_URL", kLater, "Redis."},
    {kS, "db", kScalar, "0", kLater, "Redis."},
    {kS, "ssl", kAny, "REDIS_SSL", kLater, "Redis."},
    {kS, "ssl_*", kAny, "-", kLater, "Redis."},
    {kS, "redis_*", kAny, "-", kLater, "Redis: start-up nodes of a cluster, flush size."},
    {kS, "sentinel_*", kAny, "-", kLater, "Redis Sentinel."},
    {kS, "service_name", kString, "-", kLater, "Redis Sentinel."},
    {kS, "gcp_*", kAny, "-", kLater, "Redis with GCP accounts."},
    {kS, "similarity_threshold", kNumber, "-", kLater, "Semantic cache."},
    {kS, "*_embedding_model", kString, "-", kLater, "Semantic cache."},
    {kS, "qdrant_*", kAny, "-", kLater, "Semantic cache."},
    {kS, "s3_*", kAny, "-", kLater, "Cache in S3."},
    {kS, "gcs_*", kAny, "-", kLater, "Cache in GCS."},
    {kS, "azure_*", kAny, "-", kLater, "Cache in Azure."},
    {kS, "disk_cache_dir", kString, "-", kLater, "Cache on disk."},
};
// clang-format on

}  // namespace

std::span<const KeySpec> CacheSchemaRows() { return kRows; }

}  // namespace gw::config
