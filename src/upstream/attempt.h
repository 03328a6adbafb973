// One try upstream: connection, request, answer head. What the body means is the caller's matter.
//
//   Acquire --refused, DNS, TLS--> connection error
//     | --connect deadline--> timeout
//   Send, ReadHead --deadline--> timeout;  --cut--> connection error (a stale pooled connection is
//     |                                    replaced once by a fresh one)
//   head: status and headers, body follows on the connection
//
// Thread rule: the loop's thread only.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "translate/translator.h"
#include "upstream/pool.h"

namespace gw::upstream {

enum class AttemptOutcome { kHead, kConnectError, kTimeout, kCancelled };

struct OpenedAttempt {
  AttemptOutcome outcome = AttemptOutcome::kConnectError;
  ConnectionPtr connection;  // set with kHead
  std::string why;           // in words, otherwise
  double timeout_s = 0;      // the limit that passed (kTimeout)
};

struct AttemptPlan {
  const config::Deployment* deployment = nullptr;
  const translate::UpstreamRequest* request = nullptr;
  const HeaderList* forwarded_headers = nullptr;  // of the client, when forwarding is on
  TimePoint started{};
  double head_timeout_s = 0;                      // until the answer's head, from `started`
  bool stream = false;
  bool accepts_any = false;                       // the answer may be audio or text
};

// Fills `opened`. `cancel` fires when nobody wants the answer any more: the outcome is kCancelled
// then.
[[nodiscard]] net::Task<void> OpenAttempt(OriginPool& pool, const AttemptPlan& plan, net::CancelSlot& cancel,
                                          OpenedAttempt& opened);

// Gives the connection back (or closes it when its answer was not read to the end).
void FinishAttempt(ConnectionPtr connection);

}  // namespace gw::upstream
