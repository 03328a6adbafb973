#include "gateway/answer_keeper.h"

#include "cache/embedding_items.h"
#include "gateway/response_cache.h"

namespace gw::gateway {

namespace {

std::shared_ptr<cache::Entry> NewEntry(const routing::Candidate& by, std::string body, const api::Usage& usage) {
  auto entry = std::make_shared<cache::Entry>();
  entry->body = std::move(body);
  entry->usage = usage;
  entry->deployment_id = by.deployment->id;
  entry->upstream_model = by.upstream_model;
  entry->model_group = by.model_group;
  entry->stored_unix_ms = UnixMillis();
  return entry;
}

// Fewer or more vectors than inputs: nobody can say which belongs to which.
Error WrongCount(const routing::Candidate& by) {
  Error error;
  error.cls = ErrorClass::kInternalServer;
  error.source = ErrorSource::kUpstream;
  error.status = 500;
  error.provider = by.deployment->provider;
  error.message = "litellm.InternalServerError: the upstream did not answer with one embedding for each input";
  return error;
}

}  // namespace

std::vector<std::string_view> ItemAnswers::Missing() const {
  std::vector<std::string_view> missing;
  for (size_t i = 0; i < items.size(); ++i) {
    if (found[i] == nullptr) missing.push_back(items[i]);
  }
  return missing;
}

Result<void> AnswerKeeper::KeepItems(const routing::Candidate& by, std::string& body, api::Usage& usage) {
  const std::vector<std::string_view> missing = items_->Missing();
  const auto answer = cache::ReadEmbeddingAnswer(body, missing.size());
  const bool is_partial = missing.size() < items_->items.size();
  if (!answer) {
    if (is_partial) return WrongCount(by);
    return {};
  }
  const std::vector<int64_t> shares = cache::ShareTokens(usage.prompt_tokens, missing);
  std::vector<std::string_view> vectors;
  entries_.clear();
  size_t next = 0;
  for (size_t i = 0; i < items_->items.size(); ++i) {
    if (const cache::EntryPtr& known = items_->found[i]; known != nullptr) {
      vectors.push_back(known->body);
      usage.prompt_tokens += known->usage.prompt_tokens;
      usage.total_tokens += known->usage.prompt_tokens;
      continue;
    }
    api::Usage share;
    share.prompt_tokens = share.total_tokens = shares[next];
    auto entry = NewEntry(by, std::string(answer->vectors[next]), share);
    entry->shown_model = answer->model;
    vectors.push_back(answer->vectors[next]);
    entries_.emplace_back(items_->keys[i], std::move(entry));
    ++next;
  }
  if (is_partial) body = cache::RenderEmbeddings(vectors, answer->model, usage.prompt_tokens);
  return {};
}

Result<std::string_view> AnswerKeeper::OnWhole(const routing::Candidate& by, std::string body, api::Usage& usage) {
  if (items_) {
    if (Result<void> kept = KeepItems(by, body, usage); !kept.ok()) return std::move(kept.error());
  }
  whole_ = NewEntry(by, std::move(body), usage);
  if (!items_) entries_.assign(1, KeyedEntry(key_, whole_));
  // Those who wait need not wait for this client's reading.
  if (lead_) lead_->Publish(whole_);
  return std::string_view(whole_->body);
}

void AnswerKeeper::OnStreamBytes(std::string_view bytes) {
  has_stream_ = true;
  if (too_large_) return;
  if (stream_.size() + bytes.size() > bytes_max_) {
    too_large_ = true;
    std::string().swap(stream_);
    return;
  }
  stream_ += bytes;
}

void AnswerKeeper::OnAnswered(const routing::Candidate& by, const api::Usage& usage) {
  answered_ = true;
  if (!has_stream_ || too_large_) return;
  auto entry = NewEntry(by, std::move(stream_), usage);
  entry->body.shrink_to_fit();
  entry->stream = true;
  entries_.assign(1, KeyedEntry(key_, std::move(entry)));
  if (lead_) lead_->Publish(entries_.front().second);
}

std::vector<AnswerKeeper::KeyedEntry> AnswerKeeper::TakeEntries() {
  if (!answered_) entries_.clear();
  return std::move(entries_);
}

}  // namespace gw::gateway
