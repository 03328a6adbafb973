#include "gateway/semantic_store.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "base/strings.h"
#include "cache/entry_codec.h"
#include "gateway/redis_cache_store.h"
#include "gateway/worker.h"
#include "redis/vector_search.h"

namespace gw::gateway {

namespace {

// A cosine of floats that are equal differs from 1 by so much.
constexpr double kRounding = 1e-6;
// A look that brought nothing (late, LOADING) is not repeated by every request.
constexpr Duration kLookPause = std::chrono::seconds(1);
constexpr std::chrono::minutes kTellInterval{1};

int64_t Nanos(TimePoint at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

void Until(std::atomic<int64_t>& at, Duration pause) {
  at.store(Nanos(SteadyClock::now() + pause), std::memory_order_relaxed);
}

bool HasPassed(const std::atomic<int64_t>& at) {
  return at.load(std::memory_order_relaxed) <= Nanos(SteadyClock::now());
}

// Everything under the index's prefix is an entry of it.
bool IsEntry(std::string_view rest) { return !rest.empty(); }

// A server that is starting or being replaced: nothing to turn the cache off for.
bool WillPass(std::string_view error) {
  for (const std::string_view prefix : {"LOADING", "MASTERDOWN", "READONLY", "BUSY"}) {
    if (error.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

SemanticStore::SemanticStore(config::SemanticSettings settings)
    : settings_(std::move(settings)), prefix_(settings_.index_name + ":"), plain_(MakeRedisCacheStore()) {}

net::Task<redis::Answer> SemanticStore::Ask(const View& view, std::string_view function, std::string command) const {
  redis::Call call;
  call.function = function;
  call.key = prefix_;
  call.command = std::move(command);
  call.limit = limits::kRedisSearchTimeout;
  call.quiet = true;
  const std::shared_ptr<redis::Client> client = view.cache_redis;
  redis::Answer answer = co_await client->Ask(std::move(call));
  co_return answer;
}

std::string SemanticStore::TextOf(Why why) const {
  switch (why) {
    case Why::kNothing: break;
    case Why::kNoModule:
      return "Redis has no vector search (FT.SEARCH): it takes Redis 8, Redis Stack or a server with the module "
             "redisearch or valkey-search";
    case Why::kDimension:
      return "the index " + settings_.index_name + " holds vectors of another length than " +
             settings_.embedding_model + " gives: name another redis_semantic_cache_index_name, or drop the index";
    case Why::kMetric: return "the index " + settings_.index_name + " does not measure by cosine";
    case Why::kSchema: return "the index " + settings_.index_name + " is not one of a semantic cache";
    case Why::kRefused: return "Redis refuses the index " + settings_.index_name;
  }
  return {};
}

std::string SemanticStore::trouble() const {
  return state_.load() == State::kOff ? TextOf(why_.load()) : std::string();
}

void SemanticStore::TurnOff(Why why, const std::string& detail) {
  Until(off_until_, limits::kSemanticRetryPause);
  state_ = State::kOff;
  if (why_.exchange(why) == why) return;  // the log knows
  log::Warn("the semantic cache is off: " + TextOf(why), {{"redis", detail.substr(0, 200)}});
}

// Once a minute, by whichever thread comes first.
bool SemanticStore::MayTell() {
  int64_t until = silent_until_.load(std::memory_order_relaxed);
  const TimePoint now = SteadyClock::now();
  return Nanos(now) >= until && silent_until_.compare_exchange_strong(until, Nanos(now + kTellInterval));
}

void SemanticStore::TakeTrouble(const std::string& error) {
  using redis::SearchTrouble;
  switch (redis::TroubleOf(error)) {
    case SearchTrouble::kNoModule: return TurnOff(Why::kNoModule, error);
    case SearchTrouble::kDimension: return TurnOff(Why::kDimension, error);
    case SearchTrouble::kNoIndex:
    case SearchTrouble::kExists:
      state_ = State::kUnknown;  // dropped, or made by somebody: look again
      return;
    case SearchTrouble::kOther: break;
  }
  if (!MayTell()) return;
  log::Warn("Redis refuses a command of the semantic cache", {{"why", error.substr(0, 200)}});
}

net::Task<void> SemanticStore::Look(const View& view) {
  const redis::Answer answer = co_await Ask(view, "ft_info", redis::IndexInfo(settings_.index_name).Encode());
  if (answer.state == redis::Answer::State::kError) {
    const redis::SearchTrouble trouble = redis::TroubleOf(answer.reply.text);
    if (trouble == redis::SearchTrouble::kNoIndex) state_ = State::kNoIndex;
    else if (trouble == redis::SearchTrouble::kNoModule) TurnOff(Why::kNoModule, answer.reply.text);
    else if (!WillPass(answer.reply.text)) TurnOff(Why::kRefused, answer.reply.text);
    co_return;
  }
  if (!answer.ok()) co_return;
  const redis::IndexFacts facts = redis::ReadIndexFacts(answer.reply);
  if (!facts.has_vectors) co_return TurnOff(Why::kSchema, "");
  if (!facts.is_cosine) co_return TurnOff(Why::kMetric, "");
  dimension_ = facts.dimension;
  state_ = State::kReady;
}

namespace {

struct Looking {
  std::atomic<bool>& flag;
  ~Looking() { flag = false; }
};

}  // namespace

net::Task<bool> SemanticStore::IsOpen(const View& view) {
  const std::shared_ptr<redis::Client> client = view.cache_redis;
  if (client == nullptr || !client->IsAvailable(prefix_) || !HasPassed(paused_until_)) co_return false;
  if (state_ == State::kOff) {
    if (!HasPassed(off_until_)) co_return false;
    state_ = State::kUnknown;
  }
  if (state_ == State::kUnknown) {
    if (is_looking_.exchange(true)) co_return false;  // one asks; the others do not wait for it
    const Looking looking{is_looking_};
    co_await Look(view);
    if (state_ == State::kUnknown) Until(paused_until_, kLookPause);
  }
  co_return state_ == State::kReady || state_ == State::kNoIndex;
}

net::Task<void> SemanticStore::Create(const View& view, size_t dimension) {
  std::string command = redis::CreateIndex(settings_.index_name, dimension).Encode();
  const redis::Answer answer = co_await Ask(view, "ft_create", std::move(command));
  if (answer.ok()) {
    dimension_ = dimension;
    state_ = State::kReady;
  } else if (answer.state == redis::Answer::State::kError) {
    const bool exists = redis::TroubleOf(answer.reply.text) == redis::SearchTrouble::kExists;
    if (exists) {
      co_await Look(view);
    } else if (!WillPass(answer.reply.text)) {
      TurnOff(Why::kRefused, answer.reply.text);
    }
  }
}

net::Task<bool> SemanticStore::Prepare(const View& view, size_t dimension) {
  if (state_ == State::kNoIndex) {
    co_await Create(view, dimension);
  }
  if (state_ != State::kReady) co_return false;
  const size_t known = dimension_;
  if (known == 0 || known == dimension) co_return true;
  TurnOff(Why::kDimension, std::to_string(known) + " and " + std::to_string(dimension));
  co_return false;
}

std::string SemanticStore::KeyOf(const std::string& tag, const std::string& prompt) const {
  std::string text = tag;
  text.append("\n").append(prompt);
  return prefix_ + Sha256Hex(text);
}

// As KeyOf makes them: the index name, then a hash.
bool SemanticStore::IsOurKey(std::string_view key) const {
  constexpr size_t kHashDigits = 64;
  if (key.size() != prefix_.size() + kHashDigits || !key.starts_with(prefix_)) return false;
  const std::string_view hash = key.substr(prefix_.size());
  return hash.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

net::Task<std::optional<SemanticHit>> SemanticStore::Find(const View& view, const std::string& tag,
                                                          const std::string& prompt, const std::string& vector) {
  std::optional<SemanticHit> hit;
  std::string command =
      redis::SearchNearest(settings_.index_name, tag, vector, limits::kRedisSearchTimeout).Encode();
  redis::Answer answer = co_await Ask(view, "ft_search", std::move(command));
  if (answer.state == redis::Answer::State::kError) TakeTrouble(answer.reply.text);
  if (!answer.ok()) co_return hit;
  why_.store(Why::kNothing, std::memory_order_relaxed);
  auto found = redis::ReadNeighbour(std::move(answer.reply));
  // Who can write to Redis can write anything: the tag is compared, the entry is checked.
  const double similarity = found ? 1 - found->distance : -1;
  if (!found || found->tag != tag || !(similarity >= settings_.similarity_threshold - kRounding)) co_return hit;
  if (!IsOurKey(found->key)) co_return hit;  // it goes into a header line
  // Only the same: an embedder that cuts long prompts gives different ones the same vector.
  if (settings_.similarity_threshold >= 1 && found->key != KeyOf(tag, prompt)) co_return hit;
  auto entry = cache::DecodeEntry(found->response);
  if (!entry) co_return hit;
  hit.emplace();
  hit->entry = std::make_shared<const cache::Entry>(std::move(*entry));
  hit->key = std::move(found->key);
  hit->similarity = std::min(similarity, 1.0);
  co_return hit;
}

void SemanticStore::Put(const View& view, const std::string& tag, const std::string& prompt, const std::string& vector,
                        const cache::Entry& entry, Duration ttl) {
  const size_t bytes_max = std::min(kRedisValueBytesMax, view.core->snapshot->cache.entry_bytes_max);
  if (view.cache_redis == nullptr || state_ != State::kReady || entry.bytes() > bytes_max) return;
  // The same text once more takes the place of the older answer.
  const std::string key = KeyOf(tag, prompt);
  const std::string response = cache::EncodeEntry(entry);
  redis::IndexEntry stored;
  stored.key = key;
  stored.tag = tag;
  stored.prompt = prompt;
  stored.vector = vector;
  stored.response = response;
  stored.inserted_unix_s = entry.stored_unix_ms / 1000;
  stored.ttl_ms = std::max<int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(ttl).count());
  redis::Call call;
  call.function = "semantic_store";
  call.key = key;
  call.command = redis::StoreEntry(stored);
  call.replies = redis::kStoreReplies;
  view.cache_redis->Send(std::move(call));
}

void SemanticStore::NoteEmbeddingFailure(bool late, const std::string& why) {
  if (late) Until(paused_until_, limits::kEmbeddingPause);
  if (!MayTell()) return;
  log::Warn("the semantic cache could not embed a prompt; requests go on uncached",
            {{"model", settings_.embedding_model}, {"why", why.substr(0, 200)}});
}

net::Task<bool> SemanticStore::Ping(const View& view) {
  const bool alive = co_await plain_->Ping(view);
  if (!alive) co_return false;
  co_await Look(view);
  co_return state_ == State::kReady || state_ == State::kNoIndex;
}

net::Task<bool> SemanticStore::Delete(const View& view, std::vector<std::string> keys) {
  std::erase_if(keys, [this](const std::string& key) { return !key.starts_with(prefix_); });
  const bool done = co_await plain_->Delete(view, std::move(keys));
  co_return done;
}

net::Task<bool> SemanticStore::Clear(const View& view) {
  const bool done = co_await UnlinkOurs(view, prefix_, &IsEntry);
  co_return done;
}

net::Task<std::optional<json::Object>> SemanticStore::Info(const View& view) {
  auto info = co_await plain_->Info(view);
  co_return info;
}

net::Task<std::vector<cache::EntryPtr>> SemanticStore::Get(const View&, const std::vector<std::string>& keys) {
  co_return std::vector<cache::EntryPtr>(keys.size());
}

}  // namespace gw::gateway
