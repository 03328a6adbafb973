#include "translate/openai_request.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "translate/body_splice.h"
#include "translate/control_members.h"
#include "translate/supported_params.h"

namespace gw::translate {

namespace {

constexpr std::string_view kAskUsage = R"("include_usage":true)";

// Members that neither extra_body nor a fallback may set: they would undo the router's choice or
// change the kind of answer that the client waits for.
bool IsFixedMember(std::string_view key) {
  return key == "model" || key == "stream" || key == "stream_options";
}

std::string_view ViewOf(const boost::json::string_view& text) { return {text.data(), text.size()}; }

// Tool schemas: what vLLM's grammar compiler does not take.
void StripToolSchemas(std::string_view value, int level, EditList* edits) {
  if (json::KindOf(value) == json::Kind::kArray) {
    for (json::ElementCursor c(value); c.Next();) StripToolSchemas(c.value(), level, edits);
    return;
  }
  if (json::KindOf(value) != json::Kind::kObject) return;
  ObjectEditor editor(value, edits);
  for (json::MemberCursor c(value); c.Next();) {
    const json::Member& member = c.member();
    // `strict` is an option of the tool and of its function; deeper down it is a property's name.
    const bool drop = (level < 2 && member.KeyIs("strict")) ||
                      (member.kind == json::Kind::kFalse && member.KeyIs("additionalProperties"));
    if (drop) {
      editor.Remove(member);
      continue;
    }
    editor.Keep(member);
    StripToolSchemas(member.value, level + 1, edits);
  }
  editor.Finish({}, nullptr);
}

void EditMessage(const json::Member& member, const ParamPolicy& policy, ObjectEditor* editor) {
  if (member.kind == json::Kind::kNull && member.KeyIs("content")) {
    editor->Remove(member);  // compat: assistant messages with tool calls only
  } else if (policy.developer_is_system() && member.value == "\"developer\"" && member.KeyIs("role")) {
    editor->ReplaceValue(member, "\"system\"", true);
  } else if (policy.system_is_user() && member.value == "\"system\"" && member.KeyIs("role")) {
    editor->ReplaceValue(member, "\"user\"", true);
  } else {
    editor->Keep(member);
  }
}

// One walk, into the messages: what they hold is skipped once.
void EditMessages(std::string_view messages, const ParamPolicy& policy, EditList* edits) {
  if (json::KindOf(messages) != json::Kind::kArray) return;
  for (size_t at = json::SkipSpaceAt(messages, 1); at < messages.size() && messages[at] != ']';
       at = json::SkipSpaceAt(messages, at)) {
    if (messages[at] == ',') at = json::SkipSpaceAt(messages, at + 1);
    if (messages[at] != '{') {
      at = json::SkipValueAt(messages, at);
      continue;
    }
    const size_t base = at++;
    ObjectEditor editor(messages.substr(base), edits);
    json::Member member;
    for (size_t value = 0; (value = json::BeginMemberAt(messages, &at, &member)) != std::string_view::npos;) {
      at = json::SkipValueAt(messages, value);
      json::FinishMember(messages, base, value, at, &member);
      EditMessage(member, policy, &editor);
    }
    ++at;  // the closing brace
    editor.Finish({}, nullptr);
  }
}

class RequestSplicer {
 public:
  RequestSplicer(std::string_view body, const ClientRequest& request, const AttemptTarget& target)
      : body_(body),
        request_(request),
        deployment_(*target.deployment),
        members_(AreOf(request.members, body) ? *request.members : Collect(body)),
        policy_(members_, request.endpoint, target),
        edits_(body) {
    json::AppendQuoted(quoted_model_, target.upstream_model);
    for (const json::Member& member : members_) {
      if (member.kind != json::Kind::kObject) continue;
      if (member.KeyIs("extra_body")) client_extra_ = member.value;
      if (member.KeyIs("extra_headers")) client_headers_ = member.value;
    }
  }

  [[nodiscard]] const ParamPolicy& policy() const { return policy_; }

  // Fills `edits()`; false: refused_ says which parameters the upstream does not take.
  bool Splice() {
    ObjectEditor editor(body_, &edits_);
    for (const json::Member& member : members_) SpliceMember(member, &editor);
    AddOverrides();
    AddExtraBodies();
    AddDefaults();
    AddFixed();
    editor.Finish(additions_, &finish_scratch_);
    return refused_.empty();
  }

  [[nodiscard]] std::string_view client_headers() const { return client_headers_; }
  [[nodiscard]] const EditList& edits() const { return edits_; }
  [[nodiscard]] const std::vector<std::string>& refused() const { return refused_; }

 private:
  // Whoever wraps a request in another one hands on members of a body that is not the one at hand:
  // their views tell where they point.
  static bool AreOf(const std::vector<json::Member>* members, std::string_view body) {
    if (members == nullptr || members->empty()) return false;
    const char* const key = members->front().key.data();
    return std::less_equal<>()(body.data(), key) && std::less<>()(key, body.data() + body.size());
  }

  const std::vector<json::Member>& Collect(std::string_view body) {
    json::CollectMembers(body, own_members_);
    return own_members_;
  }

  void SpliceMember(const json::Member& member, ObjectEditor* editor) {
    std::string buffer;
    const std::string_view key = member.PlainKey(buffer);
    const BodyKey id = LookupBodyKey(key);
    if (id == BodyKey::kModel) {
      has_model_ = true;
      return editor->ReplaceValue(member, quoted_model_);
    }
    if (IsOverridden(key)) return editor->Remove(member);
    const ParamVerdict verdict = policy_.Judge(id, key, member.value);
    if (verdict.action == ParamVerdict::Action::kRefuse) refused_.emplace_back(key);
    if (verdict.action != ParamVerdict::Action::kKeep) return editor->Remove(member);
    editor->Keep(member);
    if (!verdict.new_key.empty()) {
      const std::string_view quoted(member.key.data() - 1, member.key.size() + 2);
      edits_.Replace(quoted, verdict.new_key, true);
    }
    if (!verdict.new_value.empty()) edits_.Replace(member.value, verdict.new_value, true);
    if (id == BodyKey::kStreamOptions && request_.stream) return SpliceStreamOptions(member.value);
    if (request_.endpoint != api::Endpoint::kChat) return;
    if (id == BodyKey::kMessages) EditMessages(member.value, policy_, &edits_);
    if (id == BodyKey::kTools && policy_.is_vllm()) StripToolSchemas(member.value, 0, &edits_);
  }

  void SpliceStreamOptions(std::string_view value) {
    has_stream_options_ = true;
    if (json::KindOf(value) != json::Kind::kObject)
      return edits_.Replace(value, R"({"include_usage":true})", true);
    ObjectEditor editor(value, &edits_);
    bool found = false;
    for (json::MemberCursor c(value); c.Next();) {
      if (!c.member().KeyIs("include_usage")) {
        editor.Keep(c.member());
        continue;
      }
      found = true;
      editor.ReplaceValue(c.member(), "true", true);
    }
    editor.Finish(found ? std::string_view() : kAskUsage, &options_scratch_);
  }

  // A fallback's overrides, and extra_body for OpenAI's own parameters, win over the client.
  [[nodiscard]] bool IsOverridden(std::string_view key) const {
    const json::Object* overrides = request_.overrides;
    if (overrides == nullptr && client_extra_.empty() && deployment_.extra_body.empty()) return false;
    if (IsFixedMember(key) || IsControlMember(key)) return false;
    if (overrides != nullptr && json::Get(*overrides, key) != nullptr) return true;
    if (!IsOpenAiParam(key)) return false;
    if (json::Get(deployment_.extra_body, key) != nullptr) return true;
    return !client_extra_.empty() && json::Find(client_extra_, key).has_value();
  }

  [[nodiscard]] bool ClientHas(std::string_view key) const {
    return std::any_of(members_.begin(), members_.end(),
                       [key](const json::Member& member) { return member.KeyIs(key); });
  }

  [[nodiscard]] bool IsAdded(std::string_view key) const {
    return std::find(added_.begin(), added_.end(), key) != added_.end();
  }

  void AppendMember(std::string_view quoted_key, std::string_view value) {
    if (!additions_.empty()) additions_ += ',';
    additions_ += quoted_key;
    additions_ += ':';
    additions_ += value;
  }

  // Adds one member unless it is an order to the gateway or came from a stronger source already.
  void Add(std::string_view key, std::string_view value) {
    if (IsFixedMember(key) || IsAdded(key)) return;
    added_.emplace_back(key);
    const ParamVerdict verdict = policy_.Judge(LookupBodyKey(key), key, value);
    if (verdict.action == ParamVerdict::Action::kRefuse) refused_.emplace_back(key);
    if (verdict.action != ParamVerdict::Action::kKeep) return;
    std::string quoted;
    if (verdict.new_key.empty()) json::AppendQuoted(quoted, key);
    AppendMember(verdict.new_key.empty() ? std::string_view(quoted) : verdict.new_key,
                 verdict.new_value.empty() ? value : verdict.new_value);
  }

  void AddOverrides() {
    if (request_.overrides == nullptr) return;
    for (const auto& member : *request_.overrides)
      Add(ViewOf(member.key()), json::Serialize(member.value()));
  }

  void AddExtraBodies() {
    std::string buffer;
    for (json::MemberCursor c(client_extra_); c.Next();) {
      const std::string_view key = c.member().PlainKey(buffer);
      if (IsOpenAiParam(key) || !ClientHas(key)) Add(key, c.member().value);
    }
    for (const auto& member : deployment_.extra_body) {
      const std::string_view key = ViewOf(member.key());
      if (IsOpenAiParam(key) || !ClientHas(key)) Add(key, json::Serialize(member.value()));
    }
  }

  void AddDefaults() {
    for (const auto& member : deployment_.default_params) {
      const std::string_view key = ViewOf(member.key());
      if (!ClientHas(key)) Add(key, json::Serialize(member.value()));
    }
  }

  void AddFixed() {
    if (!has_model_) AppendMember(R"("model")", quoted_model_);
    if (request_.stream && !has_stream_options_ && !policy_.IsDropped("stream_options") &&
        request_.endpoint != api::Endpoint::kEmbeddings) {
      AppendMember(R"("stream_options")", R"({"include_usage":true})");
    }
  }

  const std::string_view body_;
  const ClientRequest& request_;
  const config::Deployment& deployment_;
  std::vector<json::Member> own_members_;  // before its user members_
  const std::vector<json::Member>& members_;
  const ParamPolicy policy_;
  EditList edits_;
  std::string_view client_extra_, client_headers_;
  std::string quoted_model_, additions_, finish_scratch_, options_scratch_;
  std::vector<std::string> added_, refused_;
  bool has_model_ = false;
  bool has_stream_options_ = false;
};

constexpr auto kFramingHeaders = std::to_array<std::string_view>({
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
    "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
});
constexpr auto kCredentialHeaders = std::to_array<std::string_view>({
    "api-key", "authorization", "cookie", "openai-organization", "openai-project", "x-api-key",
    "x-goog-api-key",
});

template <size_t N>
bool Lists(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return EqualsIgnoreCase(name, other); });
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [kMarks](char c) {
    const char lower = AsciiLower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || c == '\t';
  });
}

void SetHeader(std::string_view name, std::string_view value, HeaderList* headers) {
  if (!IsHeaderName(name) || !IsHeaderValue(value) || Lists(kFramingHeaders, name)) return;
  for (auto& header : *headers) {
    if (!EqualsIgnoreCase(header.first, name)) continue;
    header.second = value;
    return;
  }
  headers->emplace_back(name, value);
}

constexpr std::string_view kBearer = "Bearer ";

}  // namespace

HeaderList BuildOpenAiHeaders(std::string_view client_headers, const AttemptTarget& target) {
  const config::Deployment& deployment = *target.deployment;
  HeaderList headers;
  std::string_view key = deployment.api_key;
  if (key.empty() && deployment.row != nullptr) key = deployment.row->dummy_key;
  if (!key.empty() && IsHeaderValue(key)) {
    std::string bearer;
    bearer.reserve(kBearer.size() + key.size());
    bearer.append(kBearer).append(key);
    headers.emplace_back("authorization", std::move(bearer));  // the first one: there is none to replace
  }
  if (!deployment.organization.empty())
    SetHeader("openai-organization", deployment.organization, &headers);
  for (const auto& [name, value] : deployment.extra_headers) SetHeader(name, value, &headers);
  std::string buffer;
  for (json::MemberCursor c(client_headers); c.Next();) {
    const std::string_view name = c.member().PlainKey(buffer);
    if (c.member().kind != json::Kind::kString || Lists(kCredentialHeaders, name)) continue;
    SetHeader(name, json::Unquote(c.member().value), &headers);
  }
  return headers;
}

Result<UpstreamRequest> BuildOpenAiRequest(const ClientRequest& request,
                                           const AttemptTarget& target, std::string_view path) {
  UpstreamRequest out;
  out.path = path;
  const auto fail = [&target](const RequestSplicer& splicer) {
    return MakeUnsupportedParamsError(*target.deployment, target.upstream_model,
                                      splicer.refused());
  };
  RequestSplicer splicer(request.body, request, target);
  const std::vector<std::string>& paths = splicer.policy().drop_paths();
  if (paths.empty()) {
    if (!splicer.Splice()) return fail(splicer);
    splicer.edits().AppendTo(out.body);
  } else {
    // Nested removals are rare: do them first, on a copy.
    std::string body(request.body);
    for (const std::string& drop : paths) body = RemovePath(body, drop);
    RequestSplicer again(body, request, target);
    if (!again.Splice()) return fail(again);
    std::string spliced;
    again.edits().AppendTo(spliced);
    out.body.AppendOwned(std::move(spliced));
  }
  out.headers = BuildOpenAiHeaders(splicer.client_headers(), target);
  return out;
}

}  // namespace gw::translate
