// How are chat events and answers written as OpenAI chat JSON?
//
//   data: {"id","created","model","object":"chat.completion.chunk","choices":[{"index":0,
//          "delta":{...}}]}                                   one per event, role in the first
//   data: {... "choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}
//   data: {... "choices":[],"usage":{...}}                    only when the client asked
//   data: [DONE]
//
// The part of a chunk that never changes is rendered once; a delta costs no allocation beyond the
// growth of `out`. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/usage.h"
#include "translate/chat_event.h"

namespace gw::translate {

struct ChatHead {
  std::string_view id;
  int64_t created_s = 0;
  std::string_view model;
};

enum class UsageStyle : uint8_t {
  kPlain,
  kAnthropic,  // compat: all details, and the cache counts also on the top level
};

class ChatStreamEncoder {
 public:
  // Before the first event.
  void Begin(const ChatHead& head);
  [[nodiscard]] bool begun() const { return !prefix_.empty(); }
  // A content, reasoning or tool-call delta has been written.
  [[nodiscard]] bool has_content() const { return has_content_; }

  void Append(const ChatEvent& event, std::string& out);
  // The finish chunk, the usage chunk if `usage` is not null, and [DONE].
  void AppendEnd(std::string_view finish_reason, const api::Usage* usage, UsageStyle style,
                 std::string& out);

 private:
  void OpenDelta(std::string& out);  // ... "delta":{  with the role when it is the first
  static void AppendToolCall(const ChatEvent& event, std::string& out);

  std::string prefix_;  // data: {"id":...,"choices":[
  bool role_sent_ = false;
  bool has_content_ = false;
};

[[nodiscard]] std::string EncodeChatAnswer(const ChatAnswer& answer, const ChatHead& head,
                                           UsageStyle style);
void AppendChatUsage(const api::Usage& usage, UsageStyle style, bool in_stream, std::string& out);

}  // namespace gw::translate
