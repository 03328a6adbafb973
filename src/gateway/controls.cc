#include "gateway/controls.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/strings.h"
#include "gateway/token_estimate.h"

namespace gw::gateway {

namespace {

using json::Kind;
using json::Member;

// ["a", {"model": "b", ...}, {"G": ["a"]}] -> targets; the map form names this group or any.
std::vector<config::FallbackTarget> ReadTargets(const json::Value& value, std::string_view group) {
  std::vector<config::FallbackTarget> targets;
  if (!value.is_array()) return targets;
  for (const json::Value& item : value.get_array()) {
    if (item.is_string()) {
      targets.push_back({std::string(item.get_string().data(), item.get_string().size()), {}});
      continue;
    }
    if (!item.is_object()) continue;
    const json::Object& object = item.get_object();
    if (const std::string_view model = json::GetString(object, "model"); !model.empty()) {
      config::FallbackTarget target{std::string(model), object};
      target.overrides.erase("model");
      targets.push_back(std::move(target));
      continue;
    }
    const json::Value* named = json::Get(object, group);
    if (named == nullptr) named = json::Get(object, "*");
    if (named == nullptr) continue;
    for (std::string& model : json::StringsOf(*named)) targets.push_back({std::move(model), {}});
  }
  return targets;
}

std::vector<config::FallbackList> ReadLists(const json::Value& value) {
  std::vector<config::FallbackList> lists;
  if (!value.is_array()) return lists;
  for (const json::Value& item : value.get_array()) {
    if (!item.is_object()) continue;
    for (const auto& entry : item.get_object()) {
      config::FallbackList list;
      list.group.assign(entry.key().data(), entry.key().size());
      list.targets = ReadTargets(entry.value(), list.group);
      lists.push_back(std::move(list));
    }
  }
  return lists;
}

std::optional<double> NumberOf(const Member& member) {
  if (member.kind == Kind::kNumber) return json::ToDouble(member.value);
  if (member.kind == Kind::kString) return ParseDouble(Trim(json::Unquote(member.value)));
  return std::nullopt;
}

bool IsMockTestingParam(std::string_view key) {
  return key.starts_with("mock_testing_") || key == "mock_timeout";
}

// Obeyed only where the operator allows it; CheckRequired refuses it otherwise.
void ReadMock(RequestContext& context, std::string_view key, const Member& member) {
  using Mock = routing::RequestControls::Mock;
  if (member.kind != Kind::kTrue) return;
  if (key == "mock_testing_fallbacks") context.controls.mock = Mock::kFallbacks;
  else if (key == "mock_testing_context_fallbacks") context.controls.mock = Mock::kContextWindow;
  else if (key == "mock_testing_content_policy_fallbacks") context.controls.mock = Mock::kContentPolicy;
  else if (key == "mock_testing_rate_limit_error") context.controls.mock = Mock::kRateLimit;
  else if (key == "mock_timeout") context.mock_timeout = true;
}

std::optional<int> PriorityOf(std::optional<int64_t> value) {
  if (!value || *value < 0) return std::nullopt;
  return static_cast<int>(std::min<int64_t>(*value, 1'000'000));
}

// State of the pass that is not part of the result.
struct Seen {
  std::optional<std::string> model;
  bool model_wrong_type = false;
  bool messages = false, prompt = false, input = false, max_tokens = false;
  std::string_view messages_value;
  std::optional<double> timeout, request_timeout, stream_timeout;
  std::string mock_param;
  std::string_view fallbacks, context_fallbacks, policy_fallbacks, metadata, tags;
};

// As a label and a price: one of OpenAI's names, or nothing.
std::string_view KnownTier(std::string_view asked) {
  for (const std::string_view known : {"auto", "default", "flex", "priority"}) {
    if (asked == known) return known;
  }
  return {};
}

void ReadStreamOptions(RequestContext& context, const Member& member) {
  if (member.kind != Kind::kObject) return;
  const auto include = json::Find(member.value, "include_usage");
  context.request.include_usage = include && *include == "true";
}

// Members that only some requests have; `key` is decoded.
void ReadRareMember(RequestContext& context, Seen& seen, std::string_view key, const Member& member) {
  if (key == "timeout") seen.timeout = NumberOf(member);
  else if (key == "request_timeout") seen.request_timeout = NumberOf(member);
  else if (key == "stream_timeout") seen.stream_timeout = NumberOf(member);
  else if (key == "num_retries") {
    if (const auto n = NumberOf(member); n && *n >= 0 && *n <= 100) context.controls.num_retries = static_cast<int>(*n);
  } else if (key == "disable_fallbacks") context.controls.disable_fallbacks = member.kind == Kind::kTrue;
  else if (key == "fallbacks") seen.fallbacks = member.value;
  else if (key == "context_window_fallbacks") seen.context_fallbacks = member.value;
  else if (key == "content_policy_fallbacks") seen.policy_fallbacks = member.value;
  else if (key == "drop_params") context.drop_params = member.kind == Kind::kTrue;
  else if (key == "metadata") seen.metadata = member.value;
  else if (key == "tags") seen.tags = member.value;
  else if (key == "max_tokens" || key == "max_completion_tokens") {
    seen.max_tokens = true;
    if (const auto n = json::ToInt(member.value); n && *n > 0) context.controls.output_tokens_max = *n;
  } else if (key == "service_tier") {
    if (member.kind == Kind::kString) context.service_tier = KnownTier(json::Unquote(member.value));
  }
  else if (key == "priority") {
    if (member.kind == Kind::kNumber) context.controls.priority = PriorityOf(json::ToInt(member.value));
  } else if (key == "allowed_model_region") {
    if (member.kind == Kind::kString) context.controls.allowed_region = json::Unquote(member.value);
  } else if (IsMockTestingParam(key)) {
    seen.mock_param = key;
    ReadMock(context, key, member);
  }
}

void ReadMember(RequestContext& context, Seen& seen, const Member& member) {
  std::string decoded;
  const std::string_view key = member.PlainKey(decoded);
  if (key == "model") {
    seen.model_wrong_type = member.kind != Kind::kString && member.kind != Kind::kNull;
    if (member.kind == Kind::kString) seen.model = json::Unquote(member.value);
  } else if (key == "messages") {
    seen.messages = true;
    seen.messages_value = member.value;
  } else if (key == "prompt") {
    seen.prompt = true;
  } else if (key == "input") {
    seen.input = true;
  } else if (key == "stream") {
    context.stream_field_present = true;
    context.request.stream = member.kind == Kind::kTrue;
  } else if (key == "stream_options") {
    ReadStreamOptions(context, member);
  } else if (key == "user") {
    if (member.kind == Kind::kString) context.end_user = json::Unquote(member.value);
  } else {
    ReadRareMember(context, seen, key, member);
  }
}

Error MissingParam(const RequestContext& context, std::string_view what) {
  Error error = ClientError(400,
                            fmt::format("{}: Missing required parameter: '{}'.", CallName(context.endpoint), what),
                            "invalid_request_error", std::string(what));
  error.shown_class = "ProxyMissingRequiredParamError";
  return error;
}

Result<void> CheckRequired(const RequestContext& context, const Seen& seen) {
  const auto missing = [&context](std::string_view what) { return MissingParam(context, what); };
  const bool chat = context.endpoint == api::Endpoint::kChat || context.endpoint == api::Endpoint::kMessages;
  if (chat && !seen.messages) return missing("messages");
  if (context.endpoint == api::Endpoint::kMessages && !seen.max_tokens) return missing("max_tokens");
  if (context.endpoint == api::Endpoint::kCompletions && !seen.prompt) return missing("prompt");
  const bool wants_input = context.endpoint == api::Endpoint::kEmbeddings || context.endpoint == api::Endpoint::kSpeech;
  if (wants_input && !seen.input) return missing("input");
  if (chat) {
    const auto wrong = [](const char* what) {
      return ClientError(400, std::string("Invalid request format: ") + what, "invalid_request_error", "");
    };
    if (json::KindOf(seen.messages_value) != Kind::kArray) return wrong("'messages' must be a list of objects.");
    for (json::ElementCursor c(seen.messages_value); c.Next();) {
      if (json::KindOf(c.value()) != Kind::kObject) return wrong("each of 'messages' must be an object.");
    }
  }
  if (seen.model_wrong_type) return ClientError(400, "'model' must be a string.", "bad_request_error", "model");
  if (!seen.mock_param.empty() && !context.core.snapshot->general.allow_mock_testing) {
    Error error = ClientError(400,
                              "Mock testing request params are disabled on this proxy: " + seen.mock_param +
                                  ". An admin can enable them by setting "
                                  "general_settings.dangerously_allow_mock_testing_request_params: true.",
                              "invalid_request_error", "");
    error.shown_class = "MockTestingParamsDisabledError";
    return error;
  }
  return {};
}

// A header that must hold a number of seconds. compat: LiteLLM answers 500 for other text.
Result<void> ReadSecondsHeader(const http::Headers& headers, std::string_view name, std::optional<double>& out) {
  const std::string_view text = headers.Get(name);
  if (text.empty()) return {};
  const auto value = ParseDouble(text);
  if (!value || *value < 0) {
    return ClientError(400, "header " + std::string(name) + " must be a number of seconds", "invalid_request_error",
                      std::string(name));
  }
  if (*value > 0) out = value;
  return {};
}

void ReadTags(routing::RequestControls& controls, const Seen& seen, std::string_view header) {
  if (!seen.tags.empty()) {
    if (auto tree = json::ParseTree(seen.tags)) controls.tags = json::StringsOf(*tree);
  }
  if (!seen.metadata.empty()) {
    const auto tags = json::KindOf(seen.metadata) == Kind::kObject ? json::Find(seen.metadata, "tags") : std::nullopt;
    if (tags) {
      if (auto tree = json::ParseTree(*tags)) {
        for (std::string& tag : json::StringsOf(*tree)) controls.tags.push_back(std::move(tag));
      }
    }
  }
  if (header.empty()) return;
  for (const std::string_view tag : Split(header, ',')) {
    if (!Trim(tag).empty()) controls.tags.emplace_back(Trim(tag));
  }
}

// The messages before the last one: what a provider's prompt cache may hold from the last turn.
// Short prompts are not cached anywhere.
uint64_t PrefixHash(std::string_view messages) {
  constexpr size_t kCacheableBytesMin = 4096;
  size_t last = 0;
  for (json::ElementCursor c(messages); c.Next();) last = static_cast<size_t>(c.value().data() - messages.data());
  return last < kCacheableBytesMin ? 0 : std::hash<std::string_view>()(messages.substr(0, last)) | 1;
}

// Who comes back: only where the configuration keeps callers at a deployment.
void ReadAffinity(RequestContext& context, const Seen& seen) {
  const config::RouterSettings& router = context.core.snapshot->router;
  if (router.affinity == 0 && router.group_affinity.empty()) return;
  routing::RequestControls& controls = context.controls;
  controls.session_id = context.exchange.head().headers.Get("x-litellm-session-id");
  if (controls.session_id.empty() && json::KindOf(seen.metadata) == Kind::kObject && !seen.metadata.empty()) {
    if (const auto id = json::Find(seen.metadata, "session_id"); id && json::KindOf(*id) == Kind::kString)
      controls.session_id = json::Unquote(*id);
  }
  controls.user_key = context.caller.hashed_api_key;
  controls.prefix_hash = PrefixHash(seen.messages_value);
}

// The beginning of the prompt in the order in which chat templates render it; only for inference-aware.
void ReadPrompt(RequestContext& context) {
  const config::RouterSettings& router = context.core.snapshot->router;
  if (context.core.state.engines() == nullptr) return;
  std::string_view tools, system, text;
  for (const Member& member : context.members) {
    if (member.KeyIs("tools")) tools = member.value;
    else if (member.KeyIs("system")) system = member.value;
    else if (member.KeyIs("messages") || member.KeyIs("prompt") || member.KeyIs("input")) text = member.value;
  }
  const auto block_bytes = static_cast<size_t>(router.strategy_args.prefix_block_bytes);
  context.controls.prompt = routing::HashPrompt({tools, system, text}, block_bytes);
}

// What the deployment would answer to parameters that it does not take; found by building its body.
std::optional<Error> RefusedParams(const RequestContext& context, const config::Deployment& row) {
  if (row.drop_params.value_or(false)) return std::nullopt;
  translate::AttemptTarget target;
  target.deployment = &row;
  target.upstream_model = row.upstream_model;
  auto built = translate::MakeTranslator(context.request, target)->BuildRequest();
  if (built.ok() || built.error().cls != ErrorClass::kUnsupportedParams) return std::nullopt;
  return std::move(built.error());
}

void ChooseModel(RequestContext& context, const Seen& seen) {
  const config::GeneralSettings& general = context.core.snapshot->general;
  routing::RequestControls& controls = context.controls;
  const bool chat = context.endpoint == api::Endpoint::kChat || context.endpoint == api::Endpoint::kMessages;
  const bool embeddings = context.endpoint == api::Endpoint::kEmbeddings;
  if (chat && !general.completion_model.empty()) {
    controls.model = general.completion_model;
  } else if (embeddings && !general.embedding_model.empty()) {
    controls.model = general.embedding_model;
  } else if (!context.path_model.empty()) {
    controls.model = context.path_model;
  } else if (seen.model) {
    controls.model = *seen.model;
  }
  // compat: LiteLLM shows the requested name only when it came in the body.
  context.model_from_body = seen.model && *seen.model == controls.model;
}

// compat: where the body names no user, its metadata may: the user_id of Anthropic's schema.
void ReadEndUser(RequestContext& context, const Seen& seen) {
  if (!context.end_user.empty() || seen.metadata.empty() || json::KindOf(seen.metadata) != Kind::kObject) return;
  const auto id = json::Find(seen.metadata, "user_id");
  if (id && json::KindOf(*id) == Kind::kString) context.end_user = json::Unquote(*id);
}

void ReadFallbacks(routing::RequestControls& controls, const Seen& seen) {
  if (!seen.fallbacks.empty() && json::KindOf(seen.fallbacks) == Kind::kArray) {
    if (auto tree = json::ParseTree(seen.fallbacks)) controls.fallbacks = ReadTargets(*tree, controls.model);
  }
  if (!seen.context_fallbacks.empty()) {
    if (auto tree = json::ParseTree(seen.context_fallbacks)) controls.context_window_fallbacks = ReadLists(*tree);
  }
  if (!seen.policy_fallbacks.empty()) {
    if (auto tree = json::ParseTree(seen.policy_fallbacks)) controls.content_policy_fallbacks = ReadLists(*tree);
  }
}

}  // namespace

std::string_view CallName(api::Endpoint endpoint) {
  switch (endpoint) {
    case api::Endpoint::kChat: return "/chat/completions";
    case api::Endpoint::kCompletions: return "/completions";
    case api::Endpoint::kEmbeddings: return "/embeddings";
    case api::Endpoint::kMessages: return "anthropic_messages";
    case api::Endpoint::kTranscriptions: return "/audio/transcriptions";
    case api::Endpoint::kSpeech: return "/audio/speech";
  }
  return {};
}

Result<void> ReadControls(RequestContext& context, std::string_view body) {
  const config::Snapshot& snapshot = *context.core.snapshot;
  const http::Headers& headers = context.exchange.head().headers;
  context.request.endpoint = context.endpoint;
  context.request.body = body;
  Seen seen;
  json::CollectMembers(body, context.members);
  context.request.members = &context.members;
  if (context.form) context.request.form = &*context.form;
  for (const Member& member : context.members) ReadMember(context, seen, member);
  routing::RequestControls& controls = context.controls;
  ChooseModel(context, seen);  // before anything is refused: refusals are counted for the model, too
  if (auto checked = CheckRequired(context, seen); !checked.ok()) return checked;

  if (api::IsAudio(context.endpoint)) context.request.stream = false;
  controls.stream = context.request.stream;
  if (snapshot.general.always_include_stream_usage) context.request.include_usage = true;
  context.drop_params = context.drop_params || snapshot.proxy.drop_params;
  controls.timeout_s = seen.timeout && *seen.timeout > 0 ? seen.timeout : seen.request_timeout;
  controls.stream_timeout_s = seen.stream_timeout;
  if (auto r = ReadSecondsHeader(headers, "x-litellm-timeout", controls.timeout_s); !r.ok()) return r;
  if (auto r = ReadSecondsHeader(headers, "x-litellm-stream-timeout", controls.stream_timeout_s); !r.ok()) return r;
  if (!controls.num_retries) {
    if (const auto n = ParseInt(headers.Get("x-litellm-num-retries")); n && *n >= 0 && *n <= 100)
      controls.num_retries = static_cast<int>(*n);
  }
  ReadTags(controls, seen, headers.Get("x-litellm-tags"));
  ReadEndUser(context, seen);
  ReadAffinity(context, seen);
  ReadPrompt(context);
  if (snapshot.router.enable_pre_call_checks || context.core.index.table().any_limit())
    controls.input_tokens_estimate = EstimateInputTokens(context.members);
  if (snapshot.router.enable_pre_call_checks && !context.drop_params)
    controls.refuse_params = [&context](const config::Deployment& row) { return RefusedParams(context, row); };
  controls.user_agent = context.caller.user_agent;
  if (!controls.priority) controls.priority = PriorityOf(ParseInt(headers.Get("x-litellm-priority")));
  ReadFallbacks(controls, seen);
  return {};
}

}  // namespace gw::gateway
