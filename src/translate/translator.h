// From the client's schema to the upstream's dialect and back, for one attempt.
//
//   client body --BuildRequest--> upstream body        (per attempt: model, drops, defaults)
//   2xx body    --TranslateBody--> client body
//   2xx stream  --Feed...Feed,Finish--> client SSE bytes
//   non-2xx     --MapUpstreamError--> Error
//
// Pure: bytes in, bytes out; no socket, no clock (`now_unix_s` is an argument), no thread, no log.
// Not thread-safe: one object belongs to one attempt. Views handed in must outlive the object.
// When both sides speak the same schema (openai chat -> openai, anthropic messages -> anthropic)
// nothing is re-serialised: members are spliced by their raw spans.
#pragma once

#include <cstdint>
#include <forward_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "api/form_data.h"
#include "api/usage.h"
#include "base/error.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "base/result.h"
#include "config/snapshot.h"

namespace gw::translate {

// The client's request, parsed once by the gateway and shared by all attempts.
struct ClientRequest {
  api::Endpoint endpoint = api::Endpoint::kChat;
  // The whole body: a JSON object, already accepted by json::Validate, with json::kPadding readable
  // bytes behind it. "{}" for an empty body.
  std::string_view body;
  bool stream = false;               // "stream": true
  bool include_usage = false;        // client's stream_options.include_usage (or the setting)
  const json::Object* overrides = nullptr;  // members of a fallback target {model, ...}; replace
  // Members that the caller has collected; nullptr: none. Whoever sets another body may leave them:
  // they count only for the body that they are views of.
  const std::vector<json::Member>* members = nullptr;
  // Of a multipart request: what the client sent; `body` is then its parameters as an object.
  const api::FormData* form = nullptr;
};

struct AttemptTarget {
  const config::Deployment* deployment = nullptr;
  std::string_view upstream_model;   // '*' already filled in
  // The name the client shall read back in "model": the requested name, or the upstream's own
  // (then empty: keep what the upstream says).
  std::string_view shown_model;
  bool drop_params = false;          // effective: setting, deployment or body
  int64_t now_unix_s = 0;
  std::string_view answer_id;        // used when the provider has none, e.g. "chatcmpl-<uuid>"
};

// A body as pieces to be written one after the other; pieces may point into the client's body,
// into `owned` strings, or into static text. `owned` never moves its strings.
class BodyPieces {
 public:
  BodyPieces() = default;
  BodyPieces(BodyPieces&&) = default;
  BodyPieces& operator=(BodyPieces&&) = default;  // no copies: their pieces would point into the original

  void AppendView(std::string_view piece) {
    if (piece.empty()) return;
    if (pieces_.capacity() == 0) pieces_.reserve(kUsualPieces);
    pieces_.push_back(piece);
    size_ += piece.size();
  }
  void AppendOwned(std::string piece) {
    AppendView(owned_.emplace_front(std::move(piece)));
  }
  [[nodiscard]] const std::vector<std::string_view>& pieces() const { return pieces_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] std::string Flatten() const;  // for tests and retries over a copying transport

 private:
  static constexpr size_t kUsualPieces = 8;

  std::vector<std::string_view> pieces_;
  std::forward_list<std::string> owned_;
  size_t size_ = 0;
};

struct UpstreamRequest {
  std::string path;      // appended to origin.base_path: "/chat/completions", "/api/chat"
  BodyPieces body;
  HeaderList headers;    // beyond host, content-type, content-length: auth, organization, extra
  std::string content_type;  // empty: application/json
};

// What a stream has done so far.
struct StreamProgress {
  bool has_content = false;  // a content, reasoning or tool-call delta has been produced: from now
                             // on the client has text and a fallback would repeat it
  bool done = false;         // the client's stream is complete ([DONE] written); ignore the rest
};

class Translator {
 public:
  virtual ~Translator() = default;

  // The upstream request, or the Error for the client (unsupported parameter: 400, not retried).
  [[nodiscard]] virtual Result<UpstreamRequest> BuildRequest() = 0;

  // A complete 2xx answer. `body` has json::kPadding readable bytes behind it and may be modified.
  // Returns the client's body. Error: the answer is not what the dialect promises (garbage, empty):
  // class kInternalServer, source kUpstream.
  [[nodiscard]] virtual Result<std::string> TranslateBody(std::string& body) = 0;

  // Bytes of a 2xx stream as they arrive, cut anywhere. Appends client SSE to `out` (kept by the
  // caller, reused between calls). Error: an error event of the upstream, a line over the limit,
  // garbage before any content (a single malformed event after content is skipped).
  [[nodiscard]] virtual Result<StreamProgress> Feed(std::string_view bytes, std::string& out) = 0;
  // The upstream ended its body properly. Writes what is missing (finish chunk, usage, [DONE]).
  // Error: the stream ended before it said anything at all.
  [[nodiscard]] virtual Result<StreamProgress> Finish(std::string& out) = 0;
  // An error after content has been sent: the client dialect's in-stream error and terminator.
  virtual void AppendStreamError(const Error& error, std::string& out) const = 0;

  // Valid after TranslateBody, or as far as a stream has come; estimated when not reported.
  [[nodiscard]] virtual const api::Usage& usage() = 0;
  // The answer goes to the client under the upstream's content-type: audio, plain text.
  [[nodiscard]] virtual bool keeps_content_type() const { return false; }
  // finish_reason is content_filter: may trigger content_policy_fallbacks.
  [[nodiscard]] virtual bool content_filtered() const { return false; }
};

// The translator for (endpoint, deployment dialect). Never null; an impossible pair (embeddings on
// Anthropic) fails in BuildRequest with 400.
[[nodiscard]] std::unique_ptr<Translator> MakeTranslator(const ClientRequest& request,
                                                         const AttemptTarget& target);

// A non-2xx answer as an Error: class and status by text first, then by status; the message carries
// LiteLLM's prefix ("litellm.RateLimitError: RateLimitError: OpenAIException - ...").
[[nodiscard]] Error MapUpstreamError(const config::Deployment& deployment, int status,
                                     std::string_view body, const HeaderList& headers);
// No answer at all: refused, reset, DNS, TLS, cut before the head or in a non-stream body.
[[nodiscard]] Error MapConnectionError(const config::Deployment& deployment, std::string_view why);
// Our own deadline passed. Prints "timeout value=..., time taken=... seconds".
[[nodiscard]] Error MapTimeout(const config::Deployment& deployment, double timeout_s,
                               double taken_s);
// The same inside a stream: after its head.
[[nodiscard]] Error MapStreamTimeout(const config::Deployment& deployment, double timeout_s,
                                     double taken_s);
// A stream that broke after its head: class kApiConnection, status 500.
[[nodiscard]] Error MapStreamBreak(const config::Deployment& deployment, std::string_view why);

}  // namespace gw::translate
