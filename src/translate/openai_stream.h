// What does the client see of an OpenAI event-stream, event by event?
//
//   {"delta":{...},"usage":null}     --> model spliced, usage cut out, role once per choice
//   {"delta":{"content"},"finish_reason":"stop"} --> two chunks: the content, then the finish
//   {"choices":[],"usage":{...}}     --> kept back; last chunk if the client asked for usage
//   [DONE] or the end of the body    --> missing finish chunks, usage chunk, [DONE]
//
// Serves chat chunks (choices[].delta) and text completions (choices[].text). Chunks that need no
// change are copied as they came. After the first chunks nothing is allocated: all buffers are
// kept. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/usage.h"
#include "base/json.h"
#include "base/result.h"
#include "translate/body_splice.h"
#include "translate/chunk_template.h"
#include "translate/sse_decoder.h"
#include "translate/translator.h"

namespace gw::translate {

class OpenAiStream {
 public:
  enum class Schema : uint8_t { kChat, kText };

  // `request` and `target` must outlive the object.
  OpenAiStream(Schema schema, const ClientRequest& request, const AttemptTarget& target);

  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out);
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out);

  // As the upstream reported it; else an estimate of what has come so far.
  [[nodiscard]] const api::Usage& usage();
  [[nodiscard]] bool content_filtered() const { return content_filtered_; }

 private:
  enum class Key : uint8_t {
    kOther,
    kId, kObject, kCreated, kModel, kChoices, kUsage, kServiceTier, kError,  // of a chunk
    kIndex, kDelta, kText, kFinishReason,                                   // of a choice
    kRole, kReasoning, kReasoningContent, kToolCalls, kPayload,             // of a delta
  };
  struct KeyedMember {
    json::Member member;
    Key key;
    [[nodiscard]] bool is_null() const { return member.kind == json::Kind::kNull; }
  };
  using Members = std::vector<KeyedMember>;

  struct Choice {
    int64_t index = 0;
    bool role_sent = false;
    bool has_tool_calls = false;
    bool finished = false;
  };
  // A finish that came together with content and is written behind it.
  struct LateFinish {
    int64_t index;
    std::string_view reason;  // quoted, static
  };
  // What one chunk says, as views into it (also top_members_); empty: absent or null.
  struct Chunk {
    std::string_view id, created, model, object, choices, usage, service_tier;
    bool is_error = false;
  };

  Result<void> OnEvent(const SseEvent& event, std::string_view input, std::string& out);
  Result<void> OnMalformed();
  [[nodiscard]] std::string_view MakeReadable(const SseEvent& event, std::string_view input);
  [[nodiscard]] static Key Classify(std::string_view key);
  static void Collect(std::string_view object, Members* members);
  [[nodiscard]] Chunk ReadChunk(std::string_view json);
  void Remember(const Chunk& chunk);

  void WriteChunk(std::string_view json, const Chunk& chunk, std::string& out);
  void LearnTemplate(std::string_view json, const Chunk& chunk, std::string_view written);
  void AddMissing(const Chunk& chunk);
  void EditChoice(std::string_view object);
  [[nodiscard]] bool ScanDelta(std::string_view delta, Choice& choice);
  void EditDelta(std::string_view delta, Choice& choice);
  void EditFinish(const json::Member& member, bool has_payload, ObjectEditor* editor,
                  Choice& choice);
  bool CountPayload(const json::Member& member);
  Choice& ChoiceAt(int64_t index);
  void FillReasoning();

  void KeepUsageChunk(std::string_view json);
  void AppendEnvelope(std::string& out) const;
  void AppendFinishChunk(int64_t index, std::string_view quoted_reason, std::string& out) const;
  void AppendUsageChunk(std::string& out);
  Result<void> Complete(std::string& out);

  // Constant after construction.
  const Schema schema_;
  const ClientRequest& request_;
  const AttemptTarget& target_;
  std::string quoted_model_;  // empty: keep the upstream's

  SseDecoder decoder_;
  StreamProgress progress_;
  api::Usage usage_;
  size_t content_bytes_ = 0;
  size_t reasoning_bytes_ = 0;
  bool has_details_ = false;  // the upstream told how many tokens were reasoning
  std::optional<size_t> prompt_bytes_;
  bool any_chunk_ = false;
  bool content_filtered_ = false;

  std::vector<Choice> choices_;
  std::string id_, created_, upstream_model_;  // JSON text of the first chunk that had them
  std::string usage_text_;                     // the last usage object
  std::string usage_chunk_;                    // the upstream's own usage chunk, spliced

  ChunkTemplate template_;
  std::string_view only_text_;  // of the chunk being written, when nothing else is in it
  bool is_ordinary_ = false;    // no role, no finish: its surroundings may be learnt

  // Scratch of one event, kept to save allocations.
  Members top_members_, choice_members_, delta_members_;
  EditList edits_;
  std::vector<LateFinish> late_;
  std::string padded_, additions_, finish_scratch_;
};

}  // namespace gw::translate
