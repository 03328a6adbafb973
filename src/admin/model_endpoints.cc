#include "admin/model_endpoints.h"

#include <algorithm>
#include <vector>

#include "admin/model_catalog.h"
#include "admin/model_info.h"

namespace gw::admin {

namespace {

// compat: the constants of LiteLLM's list; clients sort and group by them.
constexpr int64_t kCreated = 1677610602;
constexpr std::string_view kListOwner = "openai";

boost::json::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

json::Object ModelObject(const CatalogEntry& entry, std::string_view owner) {
  json::Object out;
  out["id"] = Text(entry.name);
  out["object"] = "model";
  out["created"] = kCreated;
  out["owned_by"] = Text(owner);
  if (!entry.mode.empty()) out["mode"] = Text(entry.mode);
  if (entry.max_input_tokens) out["max_input_tokens"] = *entry.max_input_tokens;
  if (entry.max_output_tokens) out["max_output_tokens"] = *entry.max_output_tokens;
  return out;
}

Answer DataAnswer(json::Array data) {
  json::Object body;
  body["data"] = std::move(data);
  return JsonAnswer(200, body);
}

}  // namespace

Answer ListModelsAnswer(const config::Snapshot& snapshot, std::string_view query) {
  json::Array data;
  for (const CatalogEntry& entry :
       ListCatalog(snapshot, QueryFlag(query, "return_wildcard_routes"))) {
    data.emplace_back(ModelObject(entry, kListOwner));
  }
  json::Object body;
  body["data"] = std::move(data);
  body["object"] = "list";
  return JsonAnswer(200, body);
}

Answer GetModelAnswer(const config::Snapshot& snapshot, std::string_view model) {
  const auto entry = FindInCatalog(snapshot, model);
  if (!entry) {
    std::string text = "The model `";
    text += model;
    text += "` does not exist or is not accessible";
    return DetailAnswer(404, text);
  }
  // compat: one entry names its provider, the list says "openai" for all.
  return JsonAnswer(200,
                    ModelObject(*entry, entry->provider.empty() ? kListOwner : entry->provider));
}

Answer ModelInfoAnswer(const config::Snapshot& snapshot, std::string_view query) {
  const auto wanted = QueryValue(query, "litellm_model_id");
  json::Array data;
  for (const config::Deployment& d : snapshot.deployments) {
    if (wanted && d.id != *wanted) continue;
    data.emplace_back(DescribeDeployment(d));
  }
  if (wanted && data.empty()) {
    return DetailErrorAnswer(400, "Model id = " + *wanted + " not found on litellm proxy");
  }
  return DataAnswer(std::move(data));
}

Answer ModelGroupInfoAnswer(const config::Snapshot& snapshot, std::string_view query) {
  const auto wanted = QueryValue(query, "model_group");
  std::vector<std::string_view> seen;
  json::Array data;
  for (const config::Deployment& d : snapshot.deployments) {
    if (wanted && d.model_name != *wanted) continue;
    if (std::find(seen.begin(), seen.end(), d.model_name) != seen.end()) continue;
    seen.push_back(d.model_name);
    data.emplace_back(DescribeGroup(snapshot, d.model_name));
  }
  return DataAnswer(std::move(data));
}

}  // namespace gw::admin
