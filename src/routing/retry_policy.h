// Is a failed attempt followed by another one inside the same group, and after which pause?
// Facts 5.1 to 5.3.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "config/snapshot.h"
#include "routing/router.h"

namespace gw::routing {

// Where the request stands when an attempt has failed.
struct RetrySituation {
  const Error& error;
  const RequestControls& controls;
  const config::RouterSettings& settings;
  std::string_view group;   // as asked, and
  std::string_view row_group;  // the row's model_name: model_group_retry_policy may name either
  const config::Deployment* row = nullptr;  // that failed or refused; its num_retries counts
  size_t rows = 0;          // of the group
  size_t healthy_rows = 0;  // of them not cooling down
  int retries_done = 0;
  bool refused_by_us = false;  // no upstream call was made: the row's slots were all in use
};

struct RetryDecision {
  bool retry = false;
  int max_retries = 0;  // that applied to this error; x-litellm-max-retries
  std::string_view why;  // of either answer; static text
};

[[nodiscard]] RetryDecision DecideRetry(const RetrySituation& situation);

// Zero when another healthy row can be tried at once.
[[nodiscard]] Duration ComputePause(const RetrySituation& situation, Random& random);

// Facts 5.2 without the policy and the group's health: may this error ever be retried?
[[nodiscard]] bool IsRetryableError(const Error& error, size_t rows);

}  // namespace gw::routing
