#include "gateway/semantic_request.h"

#include "cache/semantic_prompt.h"
#include "cache/vector_codec.h"
#include "gateway/embed_prompt.h"
#include "gateway/handle_request.h"
#include "gateway/response_cache.h"
#include "gateway/semantic_store.h"

namespace gw::gateway {

namespace {

// The prompt, ready to be looked up.
struct Probe {
  std::string tag, vector;
};

std::string TagOf(const RequestContext& context, const Inquiry& inquiry, const cache::Question& question,
                  std::string_view shape) {
  const bool by_end_user = context.core.snapshot->cache.semantic.by_end_user;
  const std::string_view caller[] = {context.caller.hashed_api_key,
                                     by_end_user ? std::string_view(context.end_user) : std::string_view()};
  return cache::SemanticTag(inquiry.decision.name_space, Canonical(context, question), shape, caller);
}

// True: answered.
net::Task<bool> AnswerSimilar(RequestContext& context, const Inquiry& inquiry, SemanticStore& store,
                              const std::string& prompt, const Probe& probe) {
  const TimePoint begin = SteadyClock::now();
  const std::optional<SemanticHit> found = co_await store.Find(context.view, probe.tag, prompt, probe.vector);
  (void)CountLookup(context, begin);
  if (!found || !cache::IsFresh(inquiry.decision, found->entry->stored_unix_ms, UnixMillis())) co_return false;
  if (found->entry->stream != context.request.stream) co_return false;
  const bool answered = co_await AnswerHit(
      context, Hit{*found->entry, found->entry->body, found->entry->usage, found->key, found->similarity});
  co_return answered;
}

// Nothing of the cache but that it was asked in vain.
net::Task<void> RunUncached(RequestContext& context, Worker& worker, bool missed) {
  context.cache_missed = missed;
  co_await RunRoute(context, worker);
}

}  // namespace

net::Task<void> RunSemantic(RequestContext& context, Worker& worker, const Inquiry& inquiry) {
  SemanticStore& store = *context.core.cache->semantic();
  const std::optional<cache::SemanticPrompt> prompt = cache::ReadSemanticPrompt(context.endpoint, inquiry.question);
  const TimePoint begin = SteadyClock::now();
  bool is_open = false;
  if (prompt) is_open = co_await store.IsOpen(context.view);
  if (!is_open) {
    co_await RunUncached(context, worker, false);
    co_return;
  }
  std::optional<std::string> vector = co_await EmbedPrompt(context, worker, store, prompt->text);
  bool is_ready = false;
  if (vector) is_ready = co_await store.Prepare(context.view, cache::DimensionOf(*vector));
  (void)CountLookup(context, begin);
  if (!is_ready) {
    co_await RunUncached(context, worker, inquiry.decision.lookup);
    co_return;
  }
  Probe probe;
  const cache::Question rest = cache::WithoutPrompt(context.endpoint, inquiry.question);
  probe.tag = TagOf(context, inquiry, rest, prompt->shape);
  probe.vector = std::move(*vector);
  if (inquiry.decision.lookup) {
    const bool answered = co_await AnswerSimilar(context, inquiry, store, prompt->text, probe);
    if (answered) co_return;
  }
  // Only identical requests wait for one another: who is similar enough is known by the vectors alone.
  const std::string flight = TagOf(context, inquiry, inquiry.question, "");
  AnswerKeeper keeper(inquiry.decision.store ? context.core.snapshot->cache.entry_bytes_max : 0, flight);
  const bool answered = co_await ShareFlight(context, worker, inquiry, flight, keeper);
  if (answered) co_return;
  context.cache_missed = inquiry.decision.lookup;
  co_await RunListened(context, worker, keeper);
  if (!inquiry.decision.store) co_return;
  for (const auto& [key, entry] : keeper.TakeEntries()) {
    store.Put(context.view, probe.tag, prompt->text, probe.vector, *entry, inquiry.decision.ttl);
  }
}

}  // namespace gw::gateway
