// Steps of a request while a response cache is on, whichever kind of cache it is: what is asked, how a
// hit is answered, whose answer is waited for. cached_request.cc and semantic_request.cc put them in order.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/key.h"
#include "cache/policy.h"
#include "gateway/answer_keeper.h"
#include "gateway/request_context.h"
#include "gateway/worker.h"

namespace gw::gateway {

// What the cache made of the request. Views into its body.
struct Inquiry {
  cache::Question question;
  cache::Decision decision;
};

[[nodiscard]] Inquiry MakeInquiry(const RequestContext& context);
[[nodiscard]] std::string Canonical(const RequestContext& context, const cache::Question& question);

struct Hit {
  const cache::Entry& entry;   // who answered
  std::string_view body;
  const api::Usage& usage;
  std::string_view key;        // empty: none is shown
  std::optional<double> similarity{};  // of the semantic cache
};

// False: there is nobody to name as the one who answered; nothing has been sent.
[[nodiscard]] net::Task<bool> AnswerHit(RequestContext& context, Hit hit);

// The time a look-up took counts like that of an upstream: it is not the gateway's own work.
Duration CountLookup(RequestContext& context, TimePoint begin);

// Waits for an identical request where that is wanted. True: the request has been answered, or its
// client has left; else `keeper` may hold the lead.
[[nodiscard]] net::Task<bool> ShareFlight(RequestContext& context, Worker& worker, const Inquiry& inquiry,
                                          const std::string& key, AnswerKeeper& keeper);

// Goes upstream; `keeper` listens.
[[nodiscard]] net::Task<void> RunListened(RequestContext& context, Worker& worker, AnswerKeeper& keeper);

}  // namespace gw::gateway
