// One request as callbacks see it: its body parsed once, what it says about logging, its answer.
//
// Pure. Lives while the record is encoded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "config/callback_settings.h"
#include "telemetry/record.h"

namespace gw::telemetry {

struct LoggedRequest {
  const RequestRecord& record;
  const config::CallbackSettings& settings;
  json::Object body;      // of the client; empty: none, a form, or cut
  json::Object metadata;  // its `metadata`; on /v1/messages `litellm_metadata` over it
  json::Value answer;     // put together when it was a stream; null: there is none
  std::vector<std::string> tags;
  std::string trace_id;   // of the session or trace that the client names, else the call id
  bool no_log = false;    // the client asks not to be logged, and may
  bool is_redacted = false;

  // "" when absent.
  [[nodiscard]] std::string_view Header(std::string_view name) const;
  [[nodiscard]] std::string EndUser() const;
  // What is told of a failure: an upstream's text may quote the prompt, so class and status alone when
  // the request is redacted.
  [[nodiscard]] std::string ErrorText(const struct LoggedEvent& event) const;
};

[[nodiscard]] LoggedRequest ReadLoggedRequest(const RequestRecord& record, const config::CallbackSettings& settings);

// What a callback is told. A request that fell back tells two: the first failure and the success.
struct LoggedEvent {
  bool success = false;
  const AttemptRecord* attempt = nullptr;  // that answered or failed; null: none was made

  TimePoint begin{}, end{}, first_content{};
  // Of the failure.
  int status = 0;
  std::string_view error_class, error_message;
};
[[nodiscard]] std::vector<LoggedEvent> EventsOf(const RequestRecord& record);

}  // namespace gw::telemetry
