#include "gateway/cached_steps.h"

#include "gateway/account.h"
#include "gateway/handle_request.h"
#include "gateway/request_record.h"
#include "gateway/response_cache.h"
#include "gateway/response_headers.h"

namespace gw::gateway {

namespace {

// The deployment that gave the answer, or (gone, or of another replica) one that might have.
const config::Deployment* DeploymentOf(const Core& core, const cache::Entry& entry, const std::string& model) {
  for (const config::Deployment& d : core.snapshot->deployments) {
    if (d.id == entry.deployment_id) return &d;
  }
  routing::ModelIndex::Match scratch;
  const routing::ModelIndex::Match* match = core.index.Resolve(model, scratch);
  return match == nullptr || match->deployments.empty() ? nullptr : match->deployments.front();
}

net::Task<bool> Send(RequestContext& context, const Hit& hit, const SuccessHeaders& values) {
  std::string lines;
  lines.reserve(1024);
  AppendSuccessHeaders(context, values, lines);
  NoteAnswer(context, hit.body);
  if (context.record != nullptr) context.record->cache_key = hit.key;
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

}  // namespace

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
  values.similarity = hit.similarity;
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

Duration CountLookup(RequestContext& context, TimePoint begin) {
  const Duration took = SteadyClock::now() - begin;
  context.timing.upstream += took;
  return took;
}

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

net::Task<void> RunListened(RequestContext& context, Worker& worker, AnswerKeeper& keeper) {
  context.listener = &keeper;
  co_await RunRoute(context, worker);
  context.listener = nullptr;
}

}  // namespace gw::gateway
