// Everything known of one inference request, from its head to its accounting.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "base/clock.h"
#include "base/json_tree.h"
#include "gateway/answer_listener.h"
#include "gateway/core.h"
#include "gateway/worker.h"
#include "http/server_connection.h"
#include "metrics/litellm_metrics.h"
#include "routing/router.h"
#include "translate/continuation.h"
#include "telemetry/record.h"
#include "translate/translator.h"

namespace gw::gateway {

// Clock points of metrics facts 3.1.
struct Timing {
  TimePoint arrived{};        // request head received
  TimePoint started{};        // after authentication and preparation
  TimePoint attempt_begin{};  // hand-over of the current attempt
  TimePoint first_chunk{};    // first content of the answering stream
  TimePoint finished{};
  Duration upstream{};        // union of all attempt windows
  Duration backoff{};         // slept between attempts
};

struct RequestContext {
  RequestContext(http::ServerExchange& e, const View& v, uint32_t w)
      : exchange(e), view(v), core(*v.core), worker(w) {}

  http::ServerExchange& exchange;
  const View& view;  // held by Worker::Handle, like the Core in it
  Core& core;
  uint32_t worker;

  api::Endpoint endpoint = api::Endpoint::kChat;
  std::string_view route_label;   // "/v1/chat/completions"
  std::string path_model;         // from /engines/{model}/..., decoded
  std::string call_id;
  metrics::CallerLabels caller;
  metrics::CustomLabels custom;   // caller.custom points here when custom labels are configured
  std::string end_user;           // body "user"

  translate::ClientRequest request;
  std::vector<json::Member> members;  // of the body; request.members points here
  routing::RequestControls controls;
  std::optional<api::FormData> form;  // of a multipart request; views into its body
  std::string form_body;              // its fields as an object
  bool model_from_body = false;   // else the answer shows the upstream's own name
  bool stream_field_present = false;
  bool drop_params = false;       // body drop_params or the setting
  std::string_view service_tier;  // asked for: a known name, static text; counts where the answer names none
  bool mock_timeout = false;      // the request asks for a timeout instead of a call (guarded)
  json::Object owned_overrides;

  Timing timing;
  bool is_accounted = false;             // set by account.cc: a request ends once
  bool attempt_failure_counted = false;  // LiteLLM counts the first failed attempt only
  bool stream_started = false;
  // Only when broken streams are continued; see HandleInference.
  std::optional<translate::Continuation> continuation;
  bool continuing = false;        // a stream broke off and goes on elsewhere
  int64_t continued_tokens = 0;   // completion tokens of the attempts that broke off
  const config::Deployment* last_deployment = nullptr;
  const config::Deployment* asked_deployment = nullptr;  // the last one of the group that was asked for
  std::string last_upstream_model;
  double last_timeout_s = 0;

  std::unique_ptr<telemetry::RequestRecord> record;  // null: nobody wants records (request_record.h)
  AnswerListener* listener = nullptr;  // who else takes the answer; null: nobody
  bool redis_was_late = false;         // it has cost this request its time: it is asked no more
  bool cache_missed = false;           // the response cache was asked in vain
};

}  // namespace gw::gateway
