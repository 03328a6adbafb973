// Kept answers in Redis, found by the likeness of their prompts.
//
//   kUnknown --FT.INFO--> kReady (the index is there)
//      |  '--------------> kNoIndex --FT.CREATE, once a vector tells its length--> kReady
//      '--no module, other vectors, other schema--> kOff, for a minute; one warning says why
//
// Any loop's thread: the state is in atomics, nothing here locks. What Redis does not answer within
// limits::kRedisSearchTimeout has not been found.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "config/semantic_settings.h"
#include "gateway/cache_store.h"
#include "redis/client.h"

namespace gw::gateway {

struct SemanticHit {
  cache::EntryPtr entry;
  std::string key;  // in Redis
  double similarity = 0;
};

class SemanticStore final : public CacheStore {
 public:
  explicit SemanticStore(config::SemanticSettings settings);

  [[nodiscard]] const config::SemanticSettings& settings() const { return settings_; }

  // Is it worth embedding a prompt? False: Redis is away or cannot serve, or embeddings came late.
  [[nodiscard]] net::Task<bool> IsOpen(const View& view);
  // Can a vector of that length be searched for and kept? Makes the index when there is none.
  [[nodiscard]] net::Task<bool> Prepare(const View& view, size_t dimension);
  // The nearest entry of that tag, if it is near enough. After Prepare.
  [[nodiscard]] net::Task<std::optional<SemanticHit>> Find(const View& view, const std::string& tag,
                                                           const std::string& prompt, const std::string& vector);
  // Nobody waits for it.
  void Put(const View& view, const std::string& tag, const std::string& prompt, const std::string& vector,
           const cache::Entry& entry, Duration ttl);
  // An embedding failed; `late`: it took all of its time, so that the next ones need not wait as well.
  void NoteEmbeddingFailure(bool late, const std::string& why);

  [[nodiscard]] std::string_view type() const override { return "redis-semantic"; }
  [[nodiscard]] std::string trouble() const override;
  [[nodiscard]] net::Task<bool> Ping(const View& view) override;
  [[nodiscard]] net::Task<bool> Delete(const View& view, std::vector<std::string> keys) override;
  [[nodiscard]] net::Task<bool> Clear(const View& view) override;
  [[nodiscard]] net::Task<std::optional<json::Object>> Info(const View& view) override;
  // Nothing is found by a key.
  [[nodiscard]] net::Task<std::vector<cache::EntryPtr>> Get(const View& view,
                                                            const std::vector<std::string>& keys) override;
  void Put(const View&, const std::string&, cache::EntryPtr, Duration) override {}

 private:
  enum class State : uint8_t { kUnknown, kNoIndex, kReady, kOff };
  enum class Why : uint8_t { kNothing, kNoModule, kDimension, kMetric, kSchema, kRefused };

  [[nodiscard]] net::Task<void> Look(const View& view);
  [[nodiscard]] net::Task<void> Create(const View& view, size_t dimension);
  [[nodiscard]] net::Task<redis::Answer> Ask(const View& view, std::string_view function, std::string command) const;
  [[nodiscard]] std::string KeyOf(const std::string& tag, const std::string& prompt) const;
  [[nodiscard]] bool IsOurKey(std::string_view key) const;
  void TakeTrouble(const std::string& error);
  void TurnOff(Why why, const std::string& detail);
  [[nodiscard]] std::string TextOf(Why why) const;
  [[nodiscard]] bool MayTell();

  const config::SemanticSettings settings_;
  const std::string prefix_;              // of the keys
  const std::unique_ptr<CacheStore> plain_;  // the same Redis, for what does not concern the index
  std::atomic<State> state_{State::kUnknown};
  std::atomic<Why> why_{Why::kNothing};   // of kOff; kept until a search succeeds: the log knows it
  std::atomic<size_t> dimension_{0};      // of the index; 0: not known
  std::atomic<bool> is_looking_{false};
  // Nanoseconds of the steady clock.
  std::atomic<int64_t> off_until_{0}, paused_until_{0}, silent_until_{0};
};

}  // namespace gw::gateway
