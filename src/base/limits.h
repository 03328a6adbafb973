// Every bound of the process, with its reason. Nothing waits, queues or buffers without one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gw::limits {

// Request heads: LiteLLM's server (h11/httptools) stops at 64 KiB; 100 headers fit every SDK.
inline constexpr size_t kHeadBytesMax = 64 * 1024;
inline constexpr size_t kHeaderCountMax = 128;
// All tracestate lines of a client together: 32 members, key and value of 256 bytes each. With our own traces 512
// bytes go on.
inline constexpr size_t kTraceStateLinesBytesMax = 17 * 1024;
// Bodies: base64 images and long prompts; `general_settings.max_request_size_mb` lowers or raises.
inline constexpr size_t kBodyBytesMaxDefault = size_t{100} << 20;
// Whole upstream answers held for translation (streams are not held).
inline constexpr size_t kUpstreamBodyBytesMax = size_t{256} << 20;
// One SSE event or NDJSON line: a tool call with its arguments arrives whole from Ollama.
inline constexpr size_t kStreamEventBytesMax = size_t{16} << 20;
// Bytes of a stream held back until its first content chunk decides about fallback.
inline constexpr size_t kStreamHoldBytesMax = size_t{1} << 20;

// Parts of a multipart/form-data body: a transcription has at most a dozen.
inline constexpr size_t kFormPartsMax = 64;

inline constexpr size_t kReadBufferBytes = 16 * 1024;
inline constexpr size_t kConnectionsPerLoopMax = 20'000;
inline constexpr size_t kIdleUpstreamPerOriginMax = 256;  // per loop
inline constexpr size_t kRequestsPerConnectionMax = 1'000'000;

inline constexpr std::chrono::seconds kHeadReadTimeout{30};      // slow-loris
inline constexpr std::chrono::seconds kBodyReadGapTimeout{60};   // between two body reads
inline constexpr std::chrono::seconds kKeepAliveTimeoutDefault{75};
inline constexpr std::chrono::seconds kWriteStallTimeout{120};   // client stopped reading
inline constexpr std::chrono::seconds kConnectTimeout{5};
inline constexpr std::chrono::seconds kUpstreamIdleTimeout{60};
inline constexpr std::chrono::seconds kDnsTtlMin{1};
inline constexpr std::chrono::seconds kDnsTtlMax{300};
inline constexpr std::chrono::seconds kDnsTimeout{5};
inline constexpr std::chrono::seconds kDrainTimeoutDefault{30};
// How often the files of the configuration are looked at.
inline constexpr std::chrono::seconds kFileLookInterval{2};

// Attempts of one client request over all retries and fallbacks: a bound, not a policy.
inline constexpr int kAttemptsPerRequestMax = 200;

// A request with a priority waits so long for a deployment to leave its cooldown.
inline constexpr double kPriorityWaitSecondsMax = 60;
// Copies of requests for silent_model that run at the same time on one loop; further ones are not sent.
inline constexpr int kMirrorsPerLoopMax = 64;

// Sessions, prompt prefixes and keys whose deployment is remembered (512 KB); the idlest goes first.
inline constexpr size_t kAffinityEntriesMax = 65'536;

// Beginnings of prompts that are remembered for inference-aware routing (16 MB of entries when all
// are used, shared by all loops): some 64 blocks a conversation, 30,000 conversations.
inline constexpr size_t kPrefixEntriesMax = size_t{1} << 21;
// Blocks of one prompt: 1 MB of text has about sixty; what lies behind the last is computed anew.
inline constexpr size_t kPromptBlocksMax = 64;
// One engine's /metrics: vLLM's are some 60 KB; and how long its answer may take.
inline constexpr size_t kScrapeBytesMax = size_t{4} << 20;
inline constexpr std::chrono::seconds kScrapeTimeout{2};
// Engines asked at the same time by the one loop that scrapes, the pause that it makes at least, and how
// often it looks for engines when there are none (a reload wakes it).
inline constexpr size_t kParallelScrapes = 16;
inline constexpr std::chrono::milliseconds kScrapePauseMin{10};
inline constexpr std::chrono::hours kScrapeLookInterval{1};
inline constexpr double kScrapeIntervalSecondsMax = 60;

// Redis. A request waits this long for an answer at most (with what waking up takes it stays below
// 5 ms); a command that nobody waits for may take longer; a PING without an answer for this long
// ends the connection.
inline constexpr std::chrono::milliseconds kRedisAnswerTimeout{3};
inline constexpr std::chrono::milliseconds kRedisPatientTimeout{1000};
inline constexpr std::chrono::milliseconds kRedisProbeTimeout{1000};
inline constexpr std::chrono::milliseconds kRedisConnectTimeout{2000};
// The nearest neighbour among vectors is a search, not a look-up: Redis takes 1.3 ms for 5,000 vectors of
// 1,536 numbers that share a tag, 21 ms for 20,000.
inline constexpr std::chrono::milliseconds kRedisSearchTimeout{50};
// The answer that holds one embedding: 32,768 numbers of 20 characters are 640 KB.
inline constexpr size_t kEmbeddingBodyBytesMax = size_t{4} << 20;
// How long the semantic cache is left alone after an embedding that came too late, and after a Redis
// that cannot serve it.
inline constexpr std::chrono::seconds kEmbeddingPause{10};
inline constexpr std::chrono::seconds kSemanticRetryPause{60};
// Per server and loop: commands and bytes under way; what is beyond counts as not available.
inline constexpr size_t kRedisPendingMax = 8192;
inline constexpr size_t kRedisOutboxBytesMax = size_t{16} << 20;

// Telemetry of single requests (access log, traces, callbacks). Records wait in one ring per loop
// until the next tick; what all of them and their bodies may occupy until they are encoded; and how
// much of one body is kept. Start records of alerting that wait for their end.
inline constexpr std::chrono::milliseconds kTelemetryTick{50};
inline constexpr size_t kTelemetryRingRecords = 4096;
inline constexpr size_t kTelemetryBytesMax = size_t{64} << 20;
inline constexpr size_t kTelemetryContentBytesMax = size_t{1} << 20;
// At the end of the process receivers get this long for what waits.
inline constexpr std::chrono::seconds kTelemetryFlushTimeout{5};
inline constexpr std::chrono::milliseconds kTelemetryHurriedFlush{200};  // after a second signal
inline constexpr size_t kTelemetryStartsMax = 65'536;

// Label values that a client can choose are cut to this many bytes.
inline constexpr size_t kLabelValueBytesMax = 256;
// Series per metric family before new label sets collapse into "other".
inline constexpr size_t kSeriesPerFamilyMax = 50'000;

}  // namespace gw::limits
