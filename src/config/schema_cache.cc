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
    {kS, "type", kString, "redis", kOn, "local, redis (in memory when no server is named) or redis-semantic; the other semantic types are refused; s3, gcs, azure-blob and disk store nothing."},
    {kS, "mode", kString, "default_on", kOn, "default_off caches only requests that say cache: {use-cache: true}."},
    {kS, "ttl", kNumber, "600 in memory, 60 in Redis, 86400 semantic", kOn, "Seconds an answer is kept."},
    {kS, "default_in_memory_ttl", kNumber, "600", kOn, "Used when ttl is not given and the type is local."},
    {kS, "default_in_redis_ttl", kNumber, "60", kOn, "Used when ttl is not given and the type is redis or redis-semantic."},
    {kS, "namespace", kScalar, "-", kOn, "Put before every key, with a colon."},
    {kS, "supported_call_types", kStringList, "all", kOn, "Which calls are cached: completion, text_completion, embedding, transcription."},
    {kS, "max_messages", kInt, "4", kOn, "Chats with more messages are never cached."},
    {kS, "memory_max_entries", kInt, "20000", kOn, "Ours: answers kept in memory at most."},
    {kS, "memory_max_mb", kNumber, "128", kOn, "Ours: memory of the local cache."},
    {kS, "max_entry_kb", kNumber, "1024", kOn, "Ours: larger answers are not kept."},
    {kS, "coalesce", kBool, "false", kOn, "Ours: identical requests that arrive meanwhile wait for the first one's answer."},
    {kS, "coalesce_wait", kNumber, "60", kOn, "Ours: seconds they wait before they go upstream themselves."},
    {kS, "host", kString, "REDIS_HOST", kOn, "Redis: the server; outranks every url."},
    {kS, "port", kScalar, "REDIS_PORT", kOn, "Redis: its port, 6379 when nothing says otherwise."},
    {kS, "password", kString, "REDIS_PASSWORD", kOn, "Redis."},
    {kS, "username", kString, "-", kOn, "Redis: user of the access list."},
    {kS, "url", kString, "REDIS_URL", kOn, "Redis: redis://user:password@host:port/db, or rediss:// for TLS."},
    {kS, "db", kScalar, "0", kOn, "Redis: number of the database."},
    {kS, "ssl", kAny, "REDIS_SSL", kOn, "Redis over TLS."},
    {kS, "ssl_cert_reqs", kString, "required", kOn, "Redis over TLS: none accepts any certificate."},
    {kS, "ssl_ca_certs", kString, "-", kOn, "Redis over TLS: file of trusted certificates; the system's when not given."},
    {kS, "ssl_*", kAny, "-", kLater, "Redis over TLS: certificates of the client."},
    {kS, "redis_startup_nodes", kList, "REDIS_CLUSTER_NODES", kOn, "Redis Cluster: [{host, port}]."},
    {kS, "redis_*", kAny, "-", kLater, "Redis: flush size."},
    {kS, "sentinel_nodes", kList, "REDIS_SENTINEL_NODES", kOn, "Redis Sentinel: [[host, port]]."},
    {kS, "sentinel_password", kString, "REDIS_SENTINEL_PASSWORD", kOn, "Redis Sentinel: password of the sentinels."},
    {kS, "service_name", kString, "-", kOn, "Redis Sentinel: the master's name."},
    {kS, "gcp_*", kAny, "-", kLater, "Redis with GCP accounts."},
    {kS, "similarity_threshold", kNumber, "-", kOn, "Semantic cache, required: from 0 to 1, how similar a prompt must be; 1 - cosine distance."},
    {kS, "redis_semantic_cache_embedding_model", kString, "text-embedding-ada-002", kOn, "Semantic cache: the model group that embeds prompts."},
    {kS, "redis_semantic_cache_index_name", kString, "litellm_semantic_cache_index", kOn, "Semantic cache: the index, and with a colon the prefix of its keys."},
    {kS, "semantic_cache_embedding_timeout", kNumber, "5", kOn, "Semantic cache: seconds that embedding a prompt may take; then the request goes on uncached."},
    {kS, "semantic_cache_scope", kString, "key", kOn, "Semantic cache: who shares answers: the users of one key, or only one end_user."},
    {kS, "semantic_cache_embedding_max_input_tokens", kInt, "8191", kOn, "Semantic cache: longer prompts (estimated) go upstream uncached, as do those beyond the embedding row's max_input_tokens. Set it to what your embedder really takes: many cut in silence."},
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
