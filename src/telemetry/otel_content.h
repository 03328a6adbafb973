// What do the bodies of a request say? Parameters, ids, and the messages in the form of the GenAI conventions.
//
// Bodies are in the client's schema (OpenAI's or Anthropic's), a stream's answer is its SSE text. What does not
// parse (it was cut, it is audio) says nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_tree.h"
#include "telemetry/otlp_writer.h"
#include "telemetry/record.h"

namespace gw::telemetry {

struct ToolCall {
  std::string id, name, arguments;
};
struct OutputMessage {
  std::string text, finish_reason;
  std::vector<ToolCall> tool_calls;
};
struct ParsedAnswer {
  std::string id, model;
  std::vector<OutputMessage> messages;  // by choice
};
// JSON or SSE, of either schema.
[[nodiscard]] ParsedAnswer ParseAnswer(std::string_view body);

class ParsedContent {
 public:
  explicit ParsedContent(const RequestRecord& record);

  // gen_ai.request.*: no content.
  void AddRequestParameters(Attributes& out) const;
  // gen_ai.response.*: no content either.
  void AddResponse(Attributes& out) const;
  // gen_ai.system_instructions, gen_ai.input.messages, gen_ai.output.messages as JSON text.
  void AddMessages(Attributes& out) const;

 private:
  std::optional<json::Value> request_;
  ParsedAnswer answer_;
};

}  // namespace gw::telemetry
