#include "gateway/cached_request.h"

#include <algorithm>

#include "base/limits.h"
#include "cache/embedding_items.h"
#include "cache/key.h"
#include "cache/policy.h"
#include "gateway/account.h"
#include "gateway/answer_keeper.h"
#include "gateway/handle_request.h"
#include "gateway/response_cache.h"
#include "gateway/response_headers.h"

namespace gw::gateway {

namespace {

// What the cache made of the request. Views into its body.
struct Inquiry {
  cache::Question question;
  cache::Decision decision;
};

Inquiry MakeInquiry(const RequestContext& context) {
  const config::CacheSettings& settings = context.core.snapshot->cache;
  Inquiry inquiry;
  inquiry.question = cache::ReadQuestion(context.endpoint, context.request.body);
  cache::Controls controls = inquiry.question.controls;
  const http::Headers& headers = context.exchange.head().headers;
  if (const std::string_view header = headers.Get("cache-control"); !header.empty())
    cache::ReadCacheControl(header, controls);
  inquiry.decision = cache::Decide(settings, context.endpoint, inquiry.question.messages, controls);
  return inquiry;
}

std::string Canonical(const RequestContext& context, const cache::Question& question) {
  const config::Snapshot& snapshot = *context.core.snapshot;
  const std::string model = cache::KeyModel(snapshot.cache, context.controls.model);
  cache::KeyContext key;
  key.endpoint = context.endpoint;
  key.model = model;
  key.stream = context.request.stream;
  key.model_in_body = context.model_from_body;
  // Where tags choose the deployment, an answer of another tier would be a wrong one.
  if (snapshot.router.enable_tag_filtering) key.tags = context.controls.tags;
  return cache::CanonicalText(question, key);
}

// The deployment that gave the answer, or (gone, or of another replica) one that might have.
const config::Deployment* DeploymentOf(const Core& core, const cache::Entry& entry, const std::string& model) {
  for (const config::Deployment& d : core.snapshot->deployments) {
    if (d.id == entry.deployment_id) return &d;
  }
  routing::ModelIndex::Match scratch;
  const routing::ModelIndex::Match* match = core.index.Resolve(model, scratch);
  return match == nullptr || match->deployments.empty() ? nullptr : match->deployments.front();
}

struct Hit {
  const cache::Entry& entry;   // who answered
  std::string_view body;
  const api::Usage& usage;
  std::string_view key;        // empty: none is shown
};

net::Task<bool> Send(RequestContext& context, const Hit& hit, const SuccessHeaders& values) {
  std::string lines;
  lines.reserve(1024);
  AppendSuccessHeaders(context, values, lines);
  if (!context.request.stream) {
    const bool sent = co_await context.exchange.Respond(200, lines, hit.body);
    co_return sent;
  }
  context.timing.first_chunk = SteadyClock::now();
  context.stream_started = true;
  const bool started = co_await context.exchange.StartStream(200, lines, hit.body);
  if (!started) co_return false;
  const bool ended = co_await context.exchange.EndStream();
  co_return ended;
}

// False: there is nobody to name as the one who answered; nothing has been sent.
net::Task<bool> AnswerHit(RequestContext& context, Hit hit) {
  routing::Candidate by;
  by.deployment = DeploymentOf(context.core, hit.entry, context.controls.model);
  if (by.deployment == nullptr) co_return false;
  by.upstream_model = hit.entry.upstream_model;
  by.model_group = hit.entry.model_group;
  context.last_deployment = by.deployment;
  const accounting::Cost free;
  SuccessHeaders values;
  values.model_group = by.model_group;
  values.cost = &free;
  values.cache_key = hit.key;
  values.stream = context.request.stream;
  Timing& t = context.timing;
  t.attempt_begin = t.finished = SteadyClock::now();
  values.total_s = Seconds(t.finished - t.arrived);
  values.overhead_s = Seconds(t.finished - t.arrived - t.upstream);
  const bool sent = co_await Send(context, hit, values);
  t.finished = SteadyClock::now();
  if (sent) {
    AnsweredBy answered;
    answered.candidate = &by;
    answered.from_cache = true;
    AccountSuccess(context, answered, hit.usage, free);
  } else {
    AccountAbandoned(context, nullptr, nullptr);
  }
  co_return true;
}

// The time a look-up took counts like that of an upstream: it is not the gateway's own work.
Duration CountLookup(RequestContext& context, TimePoint begin) {
  const Duration took = SteadyClock::now() - begin;
  context.timing.upstream += took;
  return took;
}

// Redis that did not answer the look-up in time is not asked for limits as well.
void CountRedisLookup(RequestContext& context, TimePoint begin) {
  const Duration took = CountLookup(context, begin);
  if (context.view.cache_redis != nullptr && took >= limits::kRedisAnswerTimeout) context.redis_was_late = true;
}

// Waits for an identical request where that is wanted. True: the request has been answered, or its
// client has left; else `keeper` may hold the lead.
net::Task<bool> ShareFlight(RequestContext& context, Worker& worker, const Inquiry& inquiry, const std::string& key,
                            AnswerKeeper& keeper) {
  const config::CacheSettings& settings = context.core.snapshot->cache;
  if (!settings.coalesce || !inquiry.decision.lookup || !inquiry.decision.store) co_return false;
  if (context.exchange.client_gone()) co_return false;
  const TimePoint begin = SteadyClock::now();
  const Duration wait_max = FromSeconds(settings.coalesce_wait_s);
  net::CancelSlot& gone = context.exchange.on_client_gone();
  Flights::Joined joined = co_await context.core.cache->flights().Join(key, worker.loop(), gone, wait_max);
  (void)CountLookup(context, begin);
  switch (joined.outcome) {
    case Flights::Outcome::kLead:
      keeper.SetLead(std::move(*joined.lead));
      co_return false;
    case Flights::Outcome::kAlone: co_return false;
    case Flights::Outcome::kGone:
      context.timing.finished = SteadyClock::now();
      AccountAbandoned(context, nullptr, nullptr);
      co_return true;
    case Flights::Outcome::kAnswer: break;
  }
  const cache::EntryPtr entry = std::move(joined.entry);
  const bool answered = co_await AnswerHit(context, Hit{*entry, entry->body, entry->usage, key});
  co_return answered;
}

net::Task<void> RunAndKeep(RequestContext& context, Worker& worker, const Inquiry& inquiry, AnswerKeeper& keeper) {
  context.cache_missed = inquiry.decision.lookup;
  context.listener = &keeper;
  co_await RunRoute(context, worker);
  context.listener = nullptr;
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
  if (context.endpoint == api::Endpoint::kEmbeddings) {
    co_await RunCachedEmbeddings(context, worker, inquiry);
  } else {
    co_await RunCachedAnswer(context, worker, inquiry);
  }
}

}  // namespace gw::gateway
