#include "translate/ollama_embeddings.h"

#include <array>

#include "base/json.h"
#include "translate/dialect_params.h"
#include "translate/error_map.h"
#include "translate/factories.h"
#include "translate/ollama_request.h"
#include "translate/supported_params.h"
#include "translate/usage.h"

namespace gw::translate {

namespace {

constexpr auto kSupported =
    std::to_array<std::string_view>({"input", "model", "dimensions", "user", "encoding_format"});
// Members of the body; all other unknown ones are options.
constexpr auto kTopLevel =
    std::to_array<std::string_view>({"input", "dimensions", "truncate", "keep_alive"});
constexpr auto kNotSent = std::to_array<std::string_view>(
    {"model", "user", "stream", "encoding_format", "input_type"});

template <size_t N>
bool Contains(const std::array<std::string_view, N>& list, std::string_view key) {
  for (const std::string_view item : list) {
    if (item == key) return true;
  }
  return false;
}

// Strings only: token ids would need the model's vocabulary.
bool IsTextInput(std::string_view input) {
  if (json::KindOf(input) == json::Kind::kString) return true;
  if (input.empty() || json::KindOf(input) != json::Kind::kArray) return false;
  for (json::ElementCursor c(input); c.Next();) {
    if (json::KindOf(c.value()) != json::Kind::kString) return false;
  }
  return true;
}

void AppendMember(std::string& out, std::string_view key, std::string_view value, bool first) {
  if (!first) out += ',';
  json::AppendQuoted(out, key);
  out += ':';
  // compat: a lone text is sent as a list of one.
  const bool wrap = key == "input" && json::KindOf(value) == json::Kind::kString;
  if (wrap) out += '[';
  out += value;
  if (wrap) out += ']';
}

void AppendRow(std::string& out, std::string_view vector, size_t index) {
  if (index > 0) out += ',';
  out += "{\"embedding\":";
  out += vector;
  out += ",\"index\":";
  out += std::to_string(index);
  out += ",\"object\":\"embedding\"}";
}

}  // namespace

Result<UpstreamRequest> OllamaEmbeddings::BuildRequest() {
  RequestParams params(request_, target_);
  // Ollama answers numbers; asking for numbers is asking for the default.
  if (params.Find("encoding_format") == "\"float\"") params.Remove("encoding_format");
  const bool base64 = !params.Find("encoding_format").empty();
  if (base64 && !target_.drop_params) {
    return MakeUnsupportedParamsError(*target_.deployment, target_.upstream_model,
                                      {"encoding_format"});
  }
  if (auto kept = params.KeepSupported(kSupported, target_); !kept) return kept.error();
  if (!IsTextInput(params.Find("input"))) {
    return MapUnsupported(*target_.deployment,
                          "'input' must be a text or a list of texts for this provider");
  }
  std::string body = "{\"model\":";
  json::AppendQuoted(body, target_.upstream_model);
  std::string options;
  for (const RequestParam& param : params.all()) {
    if (Contains(kNotSent, param.key)) continue;
    if (Contains(kTopLevel, param.key)) AppendMember(body, param.key, param.value, false);
    else AppendMember(options, param.key, param.value, options.empty());
  }
  if (!options.empty()) body += ",\"options\":{" + options + '}';
  body += '}';
  UpstreamRequest out = StartOllamaRequest(target_, "/api/embed");
  out.body.AppendOwned(std::move(body));
  return out;
}

Result<std::string> OllamaEmbeddings::TranslateBody(std::string& body) {
  const std::string_view text = json::TrimSpace(body);
  if (text.empty() || json::Validate(body) != nullptr || text.front() != '{') {
    return MapBadAnswer(*target_.deployment, "the answer is not a JSON object");
  }
  if (const auto error = json::Find(text, "error"); error && *error != "null") {
    return MakeUpstreamError(*target_.deployment, ErrorClass::kInternalServer, 500,
                             json::Unquote(*error));
  }
  const auto rows = json::Find(text, "embeddings");
  const auto single = json::Find(text, "embedding");  // /api/embeddings of older releases
  if (!single && (!rows || json::KindOf(*rows) != json::Kind::kArray)) {
    return MapBadAnswer(*target_.deployment, "the answer holds no embeddings");
  }
  const std::string_view model =
      target_.shown_model.empty() ? target_.upstream_model : target_.shown_model;
  std::string out;
  out.reserve(text.size() + 256);
  out += "{\"model\":";
  json::AppendQuoted(out, model);
  out += ",\"data\":[";
  size_t count = 0;
  if (rows) {
    for (json::ElementCursor c(*rows); c.Next();) AppendRow(out, c.value(), count++);
  } else {
    AppendRow(out, *single, count++);
  }
  const auto reported = json::Find(text, "prompt_eval_count");
  CountPrompt(reported ? json::ToInt(*reported) : std::nullopt);
  out += "],\"object\":\"list\",\"usage\":";
  AppendUsageJson(usage_, false, out);
  out += '}';
  return out;
}

void OllamaEmbeddings::CountPrompt(std::optional<int64_t> reported) {
  const auto input = json::Find(request_.body, "input");
  EstimateUsage(input ? TextBytes(*input) : 0, 0, &usage_);
  if (!reported) return;
  usage_.prompt_tokens = usage_.total_tokens = *reported;
  usage_.reported = true;
  usage_.estimated = false;
}

Result<StreamProgress> OllamaEmbeddings::Feed(std::string_view bytes, std::string& out) {
  (void)bytes;
  return Finish(out);
}

Result<StreamProgress> OllamaEmbeddings::Finish(std::string& out) {
  (void)out;
  return MapBadAnswer(*target_.deployment, "embeddings are not streamed");
}

void OllamaEmbeddings::AppendStreamError(const Error& error, std::string& out) const {
  AppendOpenAiStreamError(error, out);
}

std::unique_ptr<Translator> MakeOllamaEmbeddings(const ClientRequest& request,
                                                 const AttemptTarget& target) {
  return std::make_unique<OllamaEmbeddings>(request, target);
}

}  // namespace gw::translate
