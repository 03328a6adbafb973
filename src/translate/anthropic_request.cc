#include "translate/anthropic_request.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/strings.h"
#include "translate/anthropic_messages.h"
#include "translate/chat_event.h"
#include "translate/dialect_params.h"
#include "translate/error_map.h"
#include "translate/supported_params.h"

namespace gw::translate {

namespace {

constexpr std::string_view kVersion = "2023-06-01";
// compat: LiteLLM's default when the price map knows no limit (DEFAULT_ANTHROPIC_CHAT_MAX_TOKENS).
constexpr int64_t kMaxTokensDefault = 128'000;
// compat: what LiteLLM leaves for the answer beside a thinking budget.
constexpr int64_t kAnswerTokensBesideThinking = 4'096;

constexpr auto kSupported = std::to_array<std::string_view>(
    {"messages", "model", "stream", "max_tokens", "max_completion_tokens", "temperature", "top_p",
     "stop", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user",
     "reasoning_effort", "thinking", "web_search_options", "service_tier"});
// Written by name; everything else is copied as it is (temperature, top_k, thinking, ...).
constexpr auto kWrittenApart = std::to_array<std::string_view>(
    {"messages", "model", "stream", "max_tokens", "max_completion_tokens", "stop", "tools",
     "tool_choice", "parallel_tool_calls", "response_format", "user", "reasoning_effort",
     "web_search_options", "service_tier", "stream_options", "n", "logprobs", "logit_bias"});

struct EffortBudget {
  std::string_view effort;
  int64_t tokens;
};
constexpr auto kBudgets = std::to_array<EffortBudget>({{"minimal", 1'024}, {"low", 1'024},
                                                       {"medium", 2'048}, {"high", 4'096},
                                                       {"xhigh", 8'192}, {"max", 16'384}});

bool NameHasAny(std::string_view model, std::initializer_list<std::string_view> parts) {
  std::string name(model);
  std::replace(name.begin(), name.end(), '.', '-');
  return std::any_of(parts.begin(), parts.end(), [&name](std::string_view part) {
    return name.find(part) != std::string::npos;
  });
}

bool HasAdaptiveThinking(std::string_view model) {
  return NameHasAny(model, {"opus-4-6", "sonnet-4-6", "opus-4-7", "sonnet-4-7"});
}
bool HasStructuredOutput(std::string_view model) {
  return HasAdaptiveThinking(model) ||
         NameHasAny(model, {"sonnet-4-5", "opus-4-1", "opus-4-5", "haiku-4-5"});
}

// compat: LiteLLM never passes e-mail addresses and telephone numbers on as user ids.
bool LooksPersonal(std::string_view user) {
  const size_t at = user.find('@');
  if (at != std::string_view::npos && user.find('.', at) != std::string_view::npos) return true;
  size_t digits = 0;
  for (const char c : user) {
    if (c >= '0' && c <= '9') ++digits;
    else if (c != '+' && c != '-' && c != ' ' && c != '(' && c != ')' && c != '.') return false;
  }
  return digits >= 7;
}

// Every object schema closed, as structured output demands.
void CloseObjects(json::Value& schema) {
  if (schema.is_array()) {
    for (json::Value& item : schema.get_array()) CloseObjects(item);
  }
  if (!schema.is_object()) return;
  json::Object& object = schema.get_object();
  for (auto& member : object) CloseObjects(member.value());
  if (json::GetString(object, "type") == "object" &&
      json::Get(object, "additionalProperties") == nullptr) {
    object["additionalProperties"] = false;
  }
}

class Builder {
 public:
  Builder(const ClientRequest& request, const AttemptTarget& target)
      : request_(request), target_(target), params_(request, target) {}

  Result<AnthropicRequest> Build() {
    if (auto kept = params_.KeepSupported(kSupported, target_); !kept) return kept.error();
    if (auto read = ReadTier(); !read) return read.error();
    auto messages = ToAnthropicMessages(params_.Find("messages"), *target_.deployment);
    if (!messages) return messages.error();
    if (messages->has_file_id) AddBeta("files-api-2025-04-14");
    body_.reserve(request_.body.size() + 512);
    body_ += "{\"model\":";
    json::AppendQuoted(body_, target_.upstream_model);
    ReadThinking();
    body_ += ",\"max_tokens\":" + MaxTokens();
    body_ += ",\"messages\":[" + messages->messages + ']';
    if (!messages->system.empty()) body_ += ",\"system\":[" + messages->system + ']';
    AppendCopied();
    AppendStop();
    AppendUser();
    if (!tier_.empty()) Append("service_tier", tier_);
    body_ += thinking_;
    AppendToolsAndFormat();
    if (request_.stream) body_ += ",\"stream\":true";
    for (const auto& member : target_.deployment->extra_body) {
      Append({member.key().data(), member.key().size()}, json::Serialize(member.value()));
    }
    body_ += '}';
    result_.upstream = StartAnthropicRequest(target_, std::move(betas_));
    result_.upstream.body.AppendOwned(std::move(body_));
    return std::move(result_);
  }

 private:
  void Append(std::string_view key, std::string_view value) {
    body_ += ',';
    json::AppendQuoted(body_, key);
    body_ += ':';
    body_ += value;
  }
  void AddBeta(std::string_view beta) {
    if (betas_.find(beta) != std::string::npos) return;
    if (!betas_.empty()) betas_ += ',';
    betas_ += beta;
  }

  // OpenAI's "default" is Anthropic's "standard_only"; tiers of OpenAI alone are refused like
  // parameters that Anthropic does not know.
  Result<void> ReadTier() {
    const std::string_view given = params_.Find("service_tier");
    if (json::KindOf(given) != json::Kind::kString) return {};  // compat: left out
    const std::string name = json::Unquote(given);
    if (name == "auto") {
      tier_ = "\"auto\"";
    } else if (name == "default" || name == "standard_only") {
      tier_ = "\"standard_only\"";
    } else if (!target_.drop_params) {
      return MakeUnsupportedParamsError(*target_.deployment, target_.upstream_model, {"service_tier"});
    }
    return {};
  }

  void ReadThinking() {
    const std::string_view own = params_.Find("thinking");
    if (!own.empty()) {
      thinking_budget_ = json::ToInt(MemberOf(own, "budget_tokens")).value_or(0);
      thinks_ = MemberOf(own, "type") != "\"disabled\"";
      return;
    }
    const std::string effort = json::Unquote(params_.Find("reasoning_effort"));
    for (const EffortBudget& row : kBudgets) {
      if (row.effort != effort) continue;
      thinks_ = true;
      if (HasAdaptiveThinking(target_.upstream_model)) {
        thinking_ = ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
                    "\"output_config\":{\"effort\":\"" +
                    std::string(effort == "minimal" ? "low" : effort) + "\"}";
        return;
      }
      thinking_budget_ = row.tokens;
      thinking_ = ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":" +
                  std::to_string(row.tokens) + '}';
    }
  }

  std::string MaxTokens() const {
    for (const std::string_view key : {"max_completion_tokens", "max_tokens"}) {
      if (const std::string_view given = params_.Find(key); !given.empty()) {
        return std::string(given);
      }
    }
    if (thinking_budget_ > 0) {
      return std::to_string(thinking_budget_ + kAnswerTokensBesideThinking);
    }
    const config::ModelFacts* facts = target_.deployment->facts;
    if (facts != nullptr && facts->max_output_tokens) {
      return std::to_string(*facts->max_output_tokens);
    }
    return std::to_string(kMaxTokensDefault);
  }

  void AppendCopied() {
    for (const RequestParam& param : params_.all()) {
      if (std::find(kWrittenApart.begin(), kWrittenApart.end(), param.key) ==
          kWrittenApart.end()) {
        Append(param.key, param.value);
      }
    }
  }

  void AppendStop() {
    std::string list;
    for (const std::string& stop : StringList(params_.Find("stop"))) {
      if (Trim(stop).empty()) continue;  // Anthropic refuses them
      if (!list.empty()) list += ',';
      json::AppendQuoted(list, stop);
    }
    if (!list.empty()) Append("stop_sequences", '[' + list + ']');
  }

  void AppendUser() {
    const std::string_view user = params_.Find("user");
    if (json::KindOf(user) != json::Kind::kString || LooksPersonal(json::Unquote(user))) return;
    Append("metadata", "{\"user_id\":" + std::string(user) + '}');
  }

  // ---- tools, tool_choice, response_format
  void AppendToolsAndFormat() {
    std::string tools;
    const auto add = [&tools](const std::string& tool) {
      if (!tools.empty()) tools += ',';
      tools += tool;
    };
    const std::string_view given = params_.Find("tools");
    if (json::KindOf(given) == json::Kind::kArray) {
      for (json::ElementCursor c(given); c.Next();) {
        if (std::string tool = Tool(c.value()); !tool.empty()) add(tool);
      }
    }
    if (const auto search = params_.Find("web_search_options"); !search.empty()) {
      add(WebSearchTool(search));
    }
    const bool has_tools = !tools.empty();
    const std::string schema = WantedSchema();
    if (!schema.empty() && HasStructuredOutput(target_.upstream_model)) {
      Append("output_format", "{\"type\":\"json_schema\",\"schema\":" + Closed(schema) + '}');
      AddBeta("structured-outputs-2025-11-13");
    } else if (!schema.empty()) {
      result_.json_by_tool = true;
      add("{\"name\":\"" + std::string(kJsonToolName) + "\",\"input_schema\":" + schema + '}');
    }
    if (!tools.empty()) Append("tools", '[' + tools + ']');
    // A forced tool is refused beside thinking, and would keep the model from the client's tools.
    const bool force_json = result_.json_by_tool && !has_tools && !thinks_;
    const std::string choice = force_json ? "{\"type\":\"tool\",\"name\":\"json_tool_call\"}"
                                          : ToolChoice(!tools.empty());
    if (!choice.empty()) Append("tool_choice", choice);
  }

  // Empty when it is not a tool that can be sent.
  std::string Tool(std::string_view tool) {
    const std::string_view function = MemberOf(tool, "function");
    if (json::KindOf(function) != json::Kind::kObject) {
      const std::string type = json::Unquote(MemberOf(tool, "type"));
      if (type.starts_with("computer_20241022")) AddBeta("computer-use-2024-10-22");
      else if (type.starts_with("computer_")) AddBeta("computer-use-2025-01-24");
      // Anthropic's own tools and forms go through.
      return json::KindOf(tool) == json::Kind::kObject ? std::string(tool) : std::string();
    }
    std::string out = "{\"name\":";
    json::AppendQuoted(out, Renamed(MemberOf(function, "name")));
    out += ",\"input_schema\":" + InputSchema(MemberOf(function, "parameters"));
    out += ",\"type\":\"custom\"";
    if (const auto text = MemberOf(function, "description");
        json::KindOf(text) == json::Kind::kString) {
      out += ",\"description\":";
      out += text;
    }
    std::string_view cache = MemberOf(tool, "cache_control");
    if (cache.empty()) cache = MemberOf(function, "cache_control");
    if (json::KindOf(cache) == json::Kind::kObject) {
      out += ",\"cache_control\":";
      out += cache;
    }
    return out + '}';
  }

  static std::string InputSchema(std::string_view parameters) {
    if (json::KindOf(parameters) != json::Kind::kObject) {
      return "{\"type\":\"object\",\"properties\":{}}";
    }
    if (json::Find(parameters, "type")) return std::string(parameters);
    const std::string_view rest = json::TrimSpace(parameters.substr(1));
    return (rest == "}" ? "{\"type\":\"object\"" : "{\"type\":\"object\",") + std::string(rest);
  }

  // The name to send; remembers how to find the client's again.
  std::string Renamed(std::string_view name_value) {
    std::string clean = CleanToolName(json::Unquote(name_value));
    if (clean != EscapedContent(name_value)) {
      result_.renamed_tools.emplace_back(clean, std::string(EscapedContent(name_value)));
    }
    return clean;
  }

  static std::string WebSearchTool(std::string_view options) {
    const std::string size = json::Unquote(MemberOf(options, "search_context_size"));
    std::string out = "{\"type\":\"web_search_20250305\",\"name\":\"web_search\"";
    if (size == "low") out += ",\"max_uses\":1";
    if (size == "medium") out += ",\"max_uses\":5";
    if (size == "high") out += ",\"max_uses\":10";
    const std::string_view where = MemberOf(MemberOf(options, "user_location"), "approximate");
    if (json::KindOf(where) == json::Kind::kObject) {
      const std::string_view rest = json::TrimSpace(where.substr(1));
      out += ",\"user_location\":{\"type\":\"approximate\"";
      if (rest != "}") out += ',';
      out += rest;
    }
    return out + '}';
  }

  // The schema of response_format; "" when the form is free.
  std::string WantedSchema() const {
    const std::string_view format = params_.Find("response_format");
    const std::string type = json::Unquote(MemberOf(format, "type"));
    if (type != "json_schema" && type != "json_object") return {};
    const std::string_view schema = MemberOf(MemberOf(format, "json_schema"), "schema");
    if (json::KindOf(schema) == json::Kind::kObject) return std::string(schema);
    return "{\"type\":\"object\",\"additionalProperties\":true,\"properties\":{}}";
  }

  static std::string Closed(const std::string& schema) {
    auto tree = json::ParseTree(schema);
    if (!tree) return schema;
    CloseObjects(*tree);
    return json::Serialize(*tree);
  }

  std::string ToolChoice(bool has_tools) const {
    if (!has_tools) return {};  // Anthropic refuses a choice among nothing
    const std::string_view choice = params_.Find("tool_choice");
    const bool one_at_a_time = params_.Find("parallel_tool_calls") == "false";
    std::string type;
    std::string name;
    if (json::KindOf(choice) == json::Kind::kObject) {
      const std::string_view function = MemberOf(choice, "function");
      if (json::KindOf(function) != json::Kind::kObject) return std::string(choice);
      type = "tool";
      name = CleanToolName(json::Unquote(MemberOf(function, "name")));
    } else if (choice == "\"required\"") {
      type = "any";
    } else if (choice == "\"none\"" || choice == "\"auto\"") {
      type = json::Unquote(choice);
    } else if (one_at_a_time) {
      type = "auto";
    }
    if (type.empty()) return {};
    std::string out = "{\"type\":\"" + type + '"';
    if (!name.empty()) out += ",\"name\":\"" + name + '"';
    if (one_at_a_time && type != "none") out += ",\"disable_parallel_tool_use\":true";
    return out + '}';
  }

  const ClientRequest& request_;
  const AttemptTarget& target_;
  RequestParams params_;
  AnthropicRequest result_;
  std::string body_;
  std::string betas_;
  std::string_view tier_;  // quoted
  std::string thinking_;  // members of the body, with a leading comma
  int64_t thinking_budget_ = 0;
  bool thinks_ = false;
};

std::string_view PathFor(std::string_view base_path) {
  if (base_path.ends_with("/v1/messages")) return {};
  return base_path.ends_with("/v1") ? "/messages" : "/v1/messages";
}

}  // namespace

UpstreamRequest StartAnthropicRequest(const AttemptTarget& target, std::string betas) {
  const config::Deployment& deployment = *target.deployment;
  UpstreamRequest request;
  request.path = PathFor(deployment.origin.base_path);
  bool has_version = false;
  HeaderList extra;
  for (const auto& header : deployment.extra_headers) {
    if (EqualsIgnoreCase(header.first, "anthropic-beta")) {
      betas = betas.empty() ? header.second : betas + ',' + header.second;
    } else {
      has_version = has_version || EqualsIgnoreCase(header.first, "anthropic-version");
      extra.push_back(header);
    }
  }
  // Tokens of a subscription are no API keys: they travel as Bearer and need their own beta.
  if (deployment.api_key.starts_with("sk-ant-oat")) {
    request.headers.emplace_back("authorization", "Bearer " + deployment.api_key);
    betas = betas.empty() ? "oauth-2025-04-20" : betas + ",oauth-2025-04-20";
  } else if (!deployment.api_key.empty()) {
    request.headers.emplace_back("x-api-key", deployment.api_key);
  }
  if (!has_version) request.headers.emplace_back("anthropic-version", kVersion);
  if (!betas.empty()) request.headers.emplace_back("anthropic-beta", std::move(betas));
  for (auto& header : extra) request.headers.push_back(std::move(header));
  return request;
}

Result<AnthropicRequest> BuildAnthropicRequest(const ClientRequest& request,
                                               const AttemptTarget& target) {
  return Builder(request, target).Build();
}

}  // namespace gw::translate
