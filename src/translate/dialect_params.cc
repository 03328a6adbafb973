#include "translate/dialect_params.h"

#include <algorithm>

#include "base/json.h"
#include "translate/body_splice.h"
#include "translate/control_members.h"
#include "translate/supported_params.h"

namespace gw::translate {

namespace {

bool Contains(std::span<const std::string_view> list, std::string_view key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

// Parameters that never make a request fail, whatever the provider takes.
bool IsHarmless(std::string_view key, std::string_view value) {
  return key == "user" || key == "stream_options" || (key == "n" && value == "1") ||
         (key == "logprobs" && value == "false") || (key == "logit_bias" && value == "{}");
}

}  // namespace

std::vector<std::string> StringList(std::string_view value) {
  std::vector<std::string> out;
  if (value.empty()) return out;
  if (json::KindOf(value) == json::Kind::kString) out.push_back(json::Unquote(value));
  if (json::KindOf(value) != json::Kind::kArray) return out;
  for (json::ElementCursor c(value); c.Next();) {
    if (json::KindOf(c.value()) == json::Kind::kString) out.push_back(json::Unquote(c.value()));
  }
  return out;
}

RequestParams::RequestParams(const ClientRequest& request, const AttemptTarget& target) {
  const config::Deployment& deployment = *target.deployment;
  std::string_view body = request.body;
  ReadLists(body, deployment);
  for (const std::string& path : dropped_) {
    if (path.find_first_of(".[") == std::string::npos) continue;
    owned_.push_back(RemovePath(body, path));
    body = owned_.back();
  }
  if (request.overrides != nullptr) AddTree(*request.overrides);
  const size_t first_of_client = params_.size();
  for (json::MemberCursor c(body); c.Next();) {
    const std::string key = json::Unquote(std::string("\"").append(c.member().key).append("\""));
    if (IsControlMember(key)) continue;
    const auto at = std::find_if(params_.begin(), params_.end(),
                                 [&key](const RequestParam& p) { return p.key == key; });
    if (at == params_.end()) {
      params_.push_back({key, c.member().value});
    } else if (static_cast<size_t>(at - params_.begin()) >= first_of_client) {
      at->value = c.member().value;  // the last of duplicate keys counts
    }
  }
  // A null is "not given", so that a default may step in.
  std::erase_if(params_, [](const RequestParam& p) { return p.value == "null"; });
  AddTree(deployment.default_params);
  std::erase_if(params_,
                [this](const RequestParam& p) { return p.value == "null" || IsDropped(p.key); });
}

void RequestParams::SetIfAbsent(std::string_view key, std::string_view value) {
  if (Find(key).empty()) params_.push_back({std::string(key), value});
}

void RequestParams::AddTree(const json::Object& members) {
  for (const auto& member : members) {
    const std::string_view key(member.key().data(), member.key().size());
    if (key == "model" || IsControlMember(key)) continue;
    owned_.push_back(json::Serialize(member.value()));
    SetIfAbsent(key, owned_.back());
  }
}

void RequestParams::ReadLists(std::string_view body, const config::Deployment& deployment) {
  dropped_ = deployment.additional_drop_params;
  allowed_ = deployment.allowed_openai_params;
  for (json::MemberCursor c(body); c.Next();) {
    const bool drops = c.member().KeyIs("additional_drop_params");
    if (!drops && !c.member().KeyIs("allowed_openai_params")) continue;
    std::vector<std::string>& list = drops ? dropped_ : allowed_;
    for (std::string& name : StringList(c.member().value)) list.push_back(std::move(name));
  }
}

bool RequestParams::IsDropped(std::string_view key) const {
  return std::find(dropped_.begin(), dropped_.end(), key) != dropped_.end();
}

std::string_view RequestParams::Find(std::string_view key) const {
  for (const RequestParam& param : params_) {
    if (param.key == key) return param.value;
  }
  return {};
}

void RequestParams::Remove(std::string_view key) {
  std::erase_if(params_, [key](const RequestParam& p) { return p.key == key; });
}

Result<void> RequestParams::KeepSupported(std::span<const std::string_view> supported,
                                          const AttemptTarget& target) {
  std::vector<std::string> refused;
  std::erase_if(params_, [&](const RequestParam& p) {
    if (!IsOpenAiParam(p.key) || Contains(supported, p.key)) return false;
    if (std::find(allowed_.begin(), allowed_.end(), p.key) != allowed_.end()) return false;
    if (!IsHarmless(p.key, p.value) && !target.drop_params) refused.push_back(p.key);
    return true;
  });
  if (refused.empty()) return {};
  return MakeUnsupportedParamsError(*target.deployment, target.upstream_model, refused);
}

}  // namespace gw::translate
