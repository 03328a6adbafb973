// Which attributes does a request have, and which does an attempt?
//
// Names of the OpenTelemetry semantic conventions (HTTP, GenAI) where there is one, else litellm.*: those that
// LiteLLM gives, and more in their style.
#pragma once

#include <string>
#include <string_view>

#include "telemetry/otlp_writer.h"
#include "telemetry/record.h"

namespace gw::telemetry {

// Of the server span and of the log record.
[[nodiscard]] Attributes RequestAttributes(const RequestRecord& record);
// Of the client span of one attempt.
[[nodiscard]] Attributes AttemptAttributes(const RequestRecord& record, const AttemptRecord& attempt);

[[nodiscard]] std::string_view OperationName(api::Endpoint endpoint);
// What the attempt asked for: the request's, or an embedding of the gateway's own.
[[nodiscard]] inline api::Endpoint EndpointOf(const RequestRecord& record, const AttemptRecord& attempt) {
  return attempt.is_side_call ? api::Endpoint::kEmbeddings : record.endpoint;
}
// gen_ai.provider.name of one of our providers.
[[nodiscard]] std::string_view GenAiProvider(std::string_view provider);
// What error.type says of the request; empty: there was no error.
[[nodiscard]] std::string ErrorTypeOf(const RequestRecord& record);
[[nodiscard]] std::string ErrorTypeOf(const AttemptRecord& attempt);

}  // namespace gw::telemetry
