#include "telemetry/otel_attributes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "telemetry/access_line.h"

namespace gw::telemetry {
namespace {

void AddText(Attributes& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out.push_back({name, std::string(text)});
}
void AddCount(Attributes& out, std::string_view name, int64_t count) {
  if (count > 0) out.push_back({name, count});
}

void AddCaller(Attributes& out, const RequestRecord& r) {
  AddText(out, "litellm.api_key.hash", r.key_hash);
  AddText(out, "litellm.api_key.alias", r.key_alias);
  AddText(out, "litellm.team.id", r.team);
  AddText(out, "litellm.team.alias", r.team_alias);
  AddText(out, "litellm.user.id", r.user);
  AddText(out, "litellm.end_user.id", r.end_user);
}

void AddHttp(Attributes& out, const RequestRecord& r) {
  AddText(out, "http.request.method", r.method);
  AddText(out, "http.route", r.route);
  AddText(out, "url.path", r.path);
  if (r.snapshot) AddText(out, "url.scheme", r.snapshot->server.tls_cert_file.empty() ? "http" : "https");
  if (r.status > 0) out.push_back({"http.response.status_code", int64_t{r.status}});
  AddText(out, "client.address", r.client_ip);
  AddText(out, "user_agent.original", r.user_agent);
  AddText(out, "error.type", ErrorTypeOf(r));
}

void AddUsage(Attributes& out, const api::Usage& usage) {
  out.push_back({"gen_ai.usage.input_tokens", usage.prompt_tokens});
  out.push_back({"gen_ai.usage.output_tokens", usage.completion_tokens});
  out.push_back({"gen_ai.usage.total_tokens", usage.total_tokens});
  AddCount(out, "gen_ai.usage.cache_read.input_tokens", usage.cached_tokens);
  AddCount(out, "gen_ai.usage.cache_creation.input_tokens", usage.cache_creation_tokens);
  AddCount(out, "gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens);
  if (usage.estimated) out.push_back({"litellm.usage.estimated", true});
}

}  // namespace

std::string_view OperationName(api::Endpoint endpoint) {
  switch (endpoint) {
    case api::Endpoint::kChat:
    case api::Endpoint::kMessages: return "chat";
    case api::Endpoint::kCompletions: return "text_completion";
    case api::Endpoint::kEmbeddings: return "embeddings";
    case api::Endpoint::kTranscriptions:
    case api::Endpoint::kSpeech: return "generate_content";  // the conventions have no name for audio
  }
  return "chat";
}

std::string_view GenAiProvider(std::string_view provider) {
  using Pair = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Pair, 11> kNames = {{
      {"azure", "azure.ai.openai"}, {"azure_ai", "azure.ai.inference"}, {"bedrock", "aws.bedrock"},
      {"cohere_chat", "cohere"}, {"gemini", "gcp.gemini"}, {"mistral", "mistral_ai"},
      {"text-completion-openai", "openai"}, {"vertex_ai", "gcp.vertex_ai"}, {"vertex_ai_beta", "gcp.vertex_ai"},
      {"watsonx", "ibm.watsonx.ai"}, {"xai", "x_ai"},
  }};
  const auto is_it = [provider](const Pair& pair) { return pair.first == provider; };
  const auto found = std::find_if(kNames.begin(), kNames.end(), is_it);
  return found == kNames.end() ? provider : found->second;
}

std::string ErrorTypeOf(const RequestRecord& record) {
  if (record.outcome == RequestRecord::Outcome::kSuccess) return {};
  return record.error_class.empty() ? std::to_string(record.status) : record.error_class;
}

std::string ErrorTypeOf(const AttemptRecord& attempt) {
  using Outcome = AttemptRecord::Outcome;
  if (attempt.outcome != Outcome::kFailed && attempt.outcome != Outcome::kBroken) return {};
  return attempt.error_class.empty() ? std::to_string(attempt.status) : attempt.error_class;
}

Attributes RequestAttributes(const RequestRecord& r) {
  Attributes out;
  AddHttp(out, r);
  AddText(out, "gen_ai.operation.name", OperationName(r.endpoint));
  AddText(out, "gen_ai.request.model", r.requested_model);
  AddText(out, "litellm.call_id", r.call_id);
  AddText(out, "litellm.request.route", r.route);
  out.push_back({"litellm.request.streaming", r.stream});
  AddCaller(out, r);
  AddText(out, "litellm.model_group", r.model_group);
  AddText(out, "litellm.provider.model", r.upstream_model);
  if (r.deployment != nullptr) {
    AddText(out, "litellm.deployment.id", r.deployment->id);
    AddText(out, "gen_ai.provider.name", GenAiProvider(r.deployment->provider));
  }
  out.push_back({"litellm.attempts", static_cast<int64_t>(r.attempts.size())});
  out.push_back({"litellm.retries", int64_t{r.retries}});
  out.push_back({"litellm.fallbacks", int64_t{r.fallbacks}});
  out.push_back({"litellm.cache_hit", r.from_cache});
  AddText(out, "litellm.cache_key", r.cache_key);
  // Not gen_ai.usage.*: who adds those up over spans would count the tokens of the attempts twice.
  AddCount(out, "litellm.usage.prompt_tokens", r.usage.prompt_tokens);
  AddCount(out, "litellm.usage.completion_tokens", r.usage.completion_tokens);
  out.push_back({"litellm.response_cost", r.cost_usd});
  out.push_back({"litellm.overhead_s", std::max(0.0, Seconds(r.finished - r.arrived - r.upstream - r.backoff))});
  if (r.backoff > Duration{}) out.push_back({"litellm.backoff_s", Seconds(r.backoff)});
  if (r.stream && r.first_chunk > r.arrived) {
    out.push_back({"litellm.time_to_first_token_s", Seconds(r.first_chunk - r.arrived)});
  }
  return out;
}

Attributes AttemptAttributes(const RequestRecord& r, const AttemptRecord& a) {
  Attributes out;
  AddText(out, "gen_ai.operation.name", OperationName(EndpointOf(r, a)));
  if (a.deployment != nullptr) {
    const config::Deployment& d = *a.deployment;
    AddText(out, "gen_ai.provider.name", GenAiProvider(d.provider));
    // The older name, which many backends still read.
    AddText(out, "gen_ai.system", d.provider);
    AddText(out, "server.address", d.origin.host);
    if (!d.origin.host.empty()) out.push_back({"server.port", int64_t{d.origin.port}});
    AddText(out, "litellm.deployment.id", d.id);
  }
  AddText(out, "gen_ai.request.model", a.upstream_model);
  if (r.stream && !a.is_side_call) out.push_back({"gen_ai.request.stream", true});
  if (r.endpoint == api::Endpoint::kSpeech) AddText(out, "gen_ai.output.type", "speech");
  if (r.endpoint == api::Endpoint::kTranscriptions) AddText(out, "gen_ai.output.type", "text");
  AddText(out, "litellm.call_id", r.call_id);
  AddText(out, "litellm.model_group", a.model_group);
  AddText(out, "litellm.attempt.outcome", NameOf(a.outcome));
  if (a.is_fallback) out.push_back({"litellm.attempt.is_fallback", true});
  if (a.is_side_call) out.push_back({"litellm.attempt.is_side_call", true});
  if (a.cooldown_started) out.push_back({"litellm.attempt.cooldown_started", true});
  if (a.status > 0) out.push_back({"http.response.status_code", int64_t{a.status}});
  AddText(out, "error.type", ErrorTypeOf(a));
  if (a.has_usage) {
    AddUsage(out, a.usage);
    out.push_back({"litellm.cost.total", a.cost_usd});
  }
  if (a.first_content > a.begin) {
    out.push_back({"gen_ai.response.time_to_first_chunk", Seconds(a.first_content - a.begin)});
  }
  return out;
}

}  // namespace gw::telemetry
