#include "gateway/form_request.h"

#include <algorithm>

#include "base/json.h"
#include "base/strings.h"
#include "net/offload.h"

namespace gw::gateway {

namespace {

constexpr size_t kHashedOnLoopBytesMax = size_t{256} << 10;

// Fields that clients fill with JSON text.
bool HoldsJson(std::string_view name) {
  return name == "metadata" || name == "litellm_metadata" || name == "tags" || name == "fallbacks" || name == "cache";
}

void AppendValue(std::string& out, const api::FormPart& part) {
  if (HoldsJson(part.name)) {
    std::string text(part.value);
    text.reserve(text.size() + json::kPadding);
    if (json::Validate(text) == nullptr) {
      out += text;
      return;
    }
  }
  json::AppendQuoted(out, part.value);
}

// {"model":"whisper-1","file":{"filename":"a.wav","sha256":"..."}}; a name that comes twice is a list.
std::string ObjectOf(const api::FormData& form, std::string_view digest) {
  std::string out = "{";
  std::vector<std::string_view> written;
  for (const api::FormPart& part : form.parts) {
    if (std::find(written.begin(), written.end(), part.name) != written.end()) continue;
    written.push_back(part.name);
    if (out.size() > 1) out += ',';
    json::AppendQuoted(out, part.name);
    out += ':';
    if (part.is_file) {
      out += R"({"filename":)";
      json::AppendQuoted(out, part.filename);
      if (part.name == "file" && !digest.empty()) out.append(R"(,"sha256":")").append(digest) += '"';
      out += '}';
      continue;
    }
    const auto same = [&part](const api::FormPart& other) { return other.name == part.name; };
    const auto count = std::count_if(form.parts.begin(), form.parts.end(), same);
    if (count > 1 && part.name.ends_with("[]")) {
      out += '[';
      for (const api::FormPart& other : form.parts) {
        if (!same(other)) continue;
        if (out.back() != '[') out += ',';
        json::AppendQuoted(out, other.value);
      }
      out += ']';
    } else {
      AppendValue(out, *form.Find(part.name));
    }
  }
  out += '}';
  return out;
}

}  // namespace

net::Task<Result<std::string_view>> ReadForm(RequestContext& context, Worker& worker, std::string_view data) {
  auto parsed = api::ParseFormData(context.exchange.head().headers.Get("content-type"), data);
  if (!parsed.ok()) co_return std::move(parsed.error());
  context.form = std::move(*parsed);
  const api::FormPart* file = context.form->Find("file");
  if (file == nullptr || !file->is_file) {
    co_return ClientError(422, std::string(context.route_label) + ": Missing required parameter: 'file'.",
                          "invalid_request_error", "file");
  }
  const bool digest = context.core.cache != nullptr && context.core.snapshot->cache.transcriptions;
  const auto files = std::count_if(context.form->parts.begin(), context.form->parts.end(),
                                   [](const api::FormPart& part) { return part.is_file; });
  // Which of several an upstream takes is its own matter; a key of the cache must not guess.
  if (files > 1) co_return ClientError(400, "The form holds more than one file", "invalid_request_error", "file");
  std::string sha256;
  if (digest && file->value.size() > kHashedOnLoopBytesMax) {
    std::function<void()> work = [&sha256, file] { sha256 = Sha256Hex(file->value); };
    co_await net::Offload(context.core.offload, worker.loop(), std::move(work));
  } else if (digest) {
    sha256 = Sha256Hex(file->value);
  }
  context.form_body = ObjectOf(*context.form, sha256);
  context.form_body.reserve(context.form_body.size() + json::kPadding);
  if (json::Validate(context.form_body) != nullptr) {
    co_return ClientError(400, "The form holds text that is not UTF-8", "invalid_request_error", "request_body");
  }
  co_return std::string_view(context.form_body);
}

}  // namespace gw::gateway
