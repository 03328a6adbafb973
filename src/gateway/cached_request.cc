#include "gateway/cached_request.h"

#include <algorithm>

#include "base/limits.h"
#include "cache/embedding_items.h"
#include "cache/key.h"
#include "gateway/answer_keeper.h"
#include "gateway/cached_steps.h"
#include "gateway/handle_request.h"
#include "gateway/response_cache.h"
#include "gateway/semantic_request.h"

namespace gw::gateway {

namespace {

// Redis that did not answer the look-up in time is not asked for limits as well.
void CountRedisLookup(RequestContext& context, TimePoint begin) {
  const Duration took = CountLookup(context, begin);
  if (context.view.cache_redis != nullptr && took >= limits::kRedisAnswerTimeout) context.redis_was_late = true;
}

net::Task<void> RunAndKeep(RequestContext& context, Worker& worker, const Inquiry& inquiry, AnswerKeeper& keeper) {
  context.cache_missed = inquiry.decision.lookup;
  co_await RunListened(context, worker, keeper);
  if (!inquiry.decision.store) co_return;
  for (auto& [key, entry] : keeper.TakeEntries()) {
    context.core.cache->Store(context.view, key, std::move(entry), inquiry.decision.ttl);
  }
}

net::Task<void> RunCachedAnswer(RequestContext& context, Worker& worker, const Inquiry& inquiry) {
  const std::string key =
      cache::MakeKey(inquiry.decision.name_space, Canonical(context, inquiry.question), std::string_view());
  if (inquiry.decision.lookup) {
    const TimePoint begin = SteadyClock::now();
    const std::vector<std::string> keys(1, key);
    const std::vector<cache::EntryPtr> found = co_await context.core.cache->Find(context.view, keys, inquiry.decision);
    const cache::EntryPtr& entry = found.front();
    CountRedisLookup(context, begin);
    if (entry != nullptr) {
      const bool answered = co_await AnswerHit(context, Hit{*entry, entry->body, entry->usage, key});
      if (answered) co_return;
    }
  }
  // What nobody stores is not gathered.
  AnswerKeeper keeper(inquiry.decision.store ? context.core.snapshot->cache.entry_bytes_max : 0, key);
  const bool answered = co_await ShareFlight(context, worker, inquiry, key, keeper);
  if (answered) co_return;
  co_await RunAndKeep(context, worker, inquiry, keeper);
}

// All inputs were known: one answer from their vectors.
net::Task<bool> AnswerItems(RequestContext& context, const std::vector<cache::EntryPtr>& found) {
  std::vector<std::string_view> vectors;
  api::Usage usage;
  for (const cache::EntryPtr& entry : found) {
    vectors.push_back(entry->body);
    usage.prompt_tokens += entry->usage.prompt_tokens;
  }
  usage.total_tokens = usage.prompt_tokens;
  const cache::EntryPtr first = found.front();
  const std::string body = cache::RenderEmbeddings(vectors, first->shown_model, usage.prompt_tokens);
  // compat: no key is shown, since each item has one of its own.
  const bool answered = co_await AnswerHit(context, Hit{*first, body, usage, std::string_view()});
  co_return answered;
}

net::Task<void> RunCachedEmbeddings(RequestContext& context, Worker& worker, const Inquiry& inquiry) {
  const std::vector<std::string_view> items = cache::SplitInput(inquiry.question.input);
  if (items.empty()) {
    co_await RunRoute(context, worker);
    co_return;
  }
  const std::string canonical = Canonical(context, inquiry.question);
  const std::string& name_space = inquiry.decision.name_space;
  ItemAnswers known;
  for (const std::string_view item : items) known.keys.push_back(cache::MakeKey(name_space, canonical, item));
  known.items = items;
  known.found.resize(items.size());
  if (inquiry.decision.lookup) {
    const TimePoint begin = SteadyClock::now();
    known.found = co_await context.core.cache->Find(context.view, known.keys, inquiry.decision);
    CountRedisLookup(context, begin);
    if (std::find(known.found.begin(), known.found.end(), nullptr) == known.found.end()) {
      const bool answered = co_await AnswerItems(context, known.found);
      if (answered) co_return;
      known.found.assign(items.size(), nullptr);
    }
  }
  const std::string key = cache::MakeKey(name_space, canonical, inquiry.question.input);
  const std::vector<std::string_view> missing = known.Missing();
  std::string body;
  if (missing.size() < items.size()) {
    body = cache::BodyWithItems(context.request.body, missing);
    context.request.body = body;
    json::CollectMembers(body, context.members);
  }
  AnswerKeeper keeper(context.core.snapshot->cache.entry_bytes_max, key);
  keeper.SetItems(std::move(known));
  const bool answered = co_await ShareFlight(context, worker, inquiry, key, keeper);
  if (answered) co_return;
  co_await RunAndKeep(context, worker, inquiry, keeper);
}

}  // namespace

net::Task<void> RunCached(RequestContext& context, Worker& worker) {
  const Inquiry inquiry = MakeInquiry(context);
  if (!inquiry.decision.any()) {
    co_await RunRoute(context, worker);
    co_return;
  }
  if (context.core.cache->semantic() != nullptr) {
    co_await RunSemantic(context, worker, inquiry);
  } else if (context.endpoint == api::Endpoint::kEmbeddings) {
    co_await RunCachedEmbeddings(context, worker, inquiry);
  } else {
    co_await RunCachedAnswer(context, worker, inquiry);
  }
}

}  // namespace gw::gateway
