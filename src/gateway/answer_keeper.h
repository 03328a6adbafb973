// Makes cache entries of an answer on its way to the client, and shows it to those who wait for it.
//
// Only answers that reach their end become entries: an error, a cut stream or a client that left
// leaves nothing behind. Lives in the frame of the request it listens to.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/entry.h"
#include "gateway/answer_listener.h"
#include "gateway/flights.h"

namespace gw::gateway {

// The inputs of an embeddings request and what was known of them. Views into the client's body.
struct ItemAnswers {
  std::vector<std::string> keys;
  std::vector<std::string_view> items;
  std::vector<cache::EntryPtr> found;  // null: goes upstream

  [[nodiscard]] std::vector<std::string_view> Missing() const;
};

class AnswerKeeper final : public AnswerListener {
 public:
  using KeyedEntry = std::pair<std::string, cache::EntryPtr>;

  // A stream that grows beyond `bytes_max` is not kept.
  AnswerKeeper(size_t bytes_max, std::string key) : bytes_max_(bytes_max), key_(std::move(key)) {}

  // The answer is one of embeddings: kept by item, completed from what is known.
  void SetItems(ItemAnswers items) { items_ = std::move(items); }
  // Others wait for this answer.
  void SetLead(Flights::Lead lead) { lead_.emplace(std::move(lead)); }

  [[nodiscard]] Result<std::string_view> OnWhole(const routing::Candidate& by, std::string body,
                                                 api::Usage& usage) override;
  void OnStreamBytes(std::string_view bytes) override;
  void OnAnswered(const routing::Candidate& by, const api::Usage& usage) override;

  // After the request: what may be stored. Empty unless the client has the whole answer.
  [[nodiscard]] std::vector<KeyedEntry> TakeEntries();

 private:
  [[nodiscard]] Result<void> KeepItems(const routing::Candidate& by, std::string& body, api::Usage& usage);

  const size_t bytes_max_;
  const std::string key_;
  std::optional<ItemAnswers> items_;
  std::optional<Flights::Lead> lead_;
  cache::EntryPtr whole_;            // what is being sent
  std::string stream_;
  bool has_stream_ = false;
  bool too_large_ = false;
  bool answered_ = false;
  std::vector<KeyedEntry> entries_;
};

}  // namespace gw::gateway
