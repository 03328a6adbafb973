// Which rows of model_list are served, and which are dropped or forbid the start?
#include "config/deployments.h"

#include <unordered_map>

#include "config/check.h"
#include "config/deployment_row.h"
#include "config/schema.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

void Drop(LoadContext& context, yaml::Place place, std::string_view path, const std::string& why) {
  context.Error(
      place, path,
      "Error creating deployment: " + why + ", ignoring and continuing with other deployments.");
}

// False after a fatal finding: the row says nothing that could be served.
bool HasRequiredKeys(LoadContext& context, const yaml::Node& node, const std::string& path) {
  const auto missing = [&](yaml::Place place, std::string_view key) {
    context.Fatal(kExitRefused, place, path, "missing " + std::string(key));
    return false;
  };
  if (!node.IsMapping()) {
    context.Fatal(kExitRefused, node.place, path, "expected mapping, got " + Shown(node, ""));
    return false;
  }
  if (node.Find("model_name") == nullptr) return missing(node.place, "model_name");
  const yaml::Node* params = node.Find("litellm_params");
  if (params == nullptr || params->IsNull()) return missing(node.place, "litellm_params");
  if (params->IsMapping() && params->Find("model") == nullptr) {
    return missing(params->place, "litellm_params.model");
  }
  return true;
}

// Values of `from` for keys that `into` does not have, or has as null.
void AddMissing(const yaml::Node& from, yaml::Node& into) {
  for (const yaml::Member& member : from.members) {
    const std::string key = yaml::KeyText(member.key);
    const yaml::Node* present = into.Find(key);
    if (present == nullptr || present->IsNull()) into.Set(key, member.value);
  }
}

const yaml::Node* FindCredential(const yaml::Node& root, std::string_view name) {
  const yaml::Node* list = ReadList(root, "credential_list");
  if (list == nullptr) return nullptr;
  for (const yaml::Node& item : list->items) {
    if (ReadString(item, "credential_name") == name) return ReadMap(item, "credential_values");
  }
  return nullptr;
}

void MergeDefaults(LoadContext& context, const yaml::Node& root, Row& row) {
  if (const auto name = ReadString(row.params, "litellm_credential_name")) {
    const yaml::Node* values = FindCredential(root, *name);
    if (values == nullptr) {
      context.Warn(row.place, row.path, "credential '" + *name + "' is not in credential_list");
    } else {
      AddMissing(*values, row.params);
    }
  }
  const yaml::Node* router = ReadMap(root, "router_settings");
  const yaml::Node* defaults =
      router == nullptr ? nullptr : ReadMap(*router, "default_litellm_params");
  if (defaults != nullptr) AddMissing(*defaults, row.params);
}

// LiteLLM's usage strategies read rpm and tpm of the row itself; the shuffle does not.
void ReadRowLimits(const yaml::Node& node, const Snapshot& snapshot, Deployment& out) {
  const RoutingStrategy strategy = snapshot.router.strategy;
  if (strategy != RoutingStrategy::kUsageBased && strategy != RoutingStrategy::kUsageBasedV2)
    return;
  if (!out.rpm) out.rpm = ReadInt(node, "rpm");
  if (!out.tpm) out.tpm = ReadInt(node, "tpm");
}

void BuildOne(LoadContext& context, const yaml::Node& node, const Row& row, Snapshot& snapshot) {
  Deployment out;
  auto refusal = ReadTarget(context, row, out);
  if (!refusal) refusal = ReadParameters(context, row, snapshot, out);
  if (refusal) {
    const yaml::Node* at = row.params.Find(refusal->key);
    const yaml::Place place = at != nullptr && at->place.line > 0 ? at->place : row.place;
    const std::string path = Join(row.path, "litellm_params");
    Drop(context, place, refusal->key.empty() ? path : Join(path, refusal->key), refusal->why);
    return;
  }
  ReadRowLimits(node, snapshot, out);
  ReadModelInfo(context, row, snapshot, out);
  out.index = static_cast<uint32_t>(snapshot.deployments.size());
  snapshot.deployments.push_back(std::move(out));
}

// One deployment, or one per organization.
void BuildRow(LoadContext& context, const yaml::Node& node, Row row, Snapshot& snapshot) {
  const yaml::Node* list = ReadList(row.params, "organization");
  if (list == nullptr) {
    BuildOne(context, node, row, snapshot);
    return;
  }
  const yaml::Node organizations = *list;
  const std::string hash_text = row.hash_text;
  size_t number = 0;
  for (const yaml::Node& organization : organizations.items) {
    row.params.Set("organization", organization);
    row.hash_text = hash_text + CanonicalText(organization);
    row.id_suffix = number == 0 ? "" : "-" + std::to_string(number + 1);
    BuildOne(context, node, row, snapshot);
    ++number;
  }
}

void ReadRow(LoadContext& context, const yaml::Node& root, const yaml::Node& node,
             const std::string& path, Snapshot& snapshot) {
  if (!HasRequiredKeys(context, node, path)) return;
  int wrong_types = CheckKeys(context, Section::kModelRow, node, path);
  const yaml::Node* params = ReadMap(node, "litellm_params");
  const yaml::Node* info = ReadMap(node, "model_info");
  if (params != nullptr) {
    wrong_types +=
        CheckKeys(context, Section::kLitellmParams, *params, Join(path, "litellm_params"));
  }
  if (info != nullptr) {
    wrong_types += CheckKeys(context, Section::kModelInfo, *info, Join(path, "model_info"));
  }
  const auto name = ReadString(node, "model_name");
  if (wrong_types > 0 || params == nullptr || !name || name->empty()) {
    Drop(context, node.place, path,
         name && !name->empty() ? "a value of a wrong type, see above"
                                : "model_name is empty or no string");
    return;
  }
  Row row;
  row.path = path;
  row.place = node.place;
  row.model_name = *name;
  row.params = *params;
  if (info != nullptr) row.info = *info;
  row.hash_text = *name + CanonicalText(*params);
  MergeDefaults(context, root, row);
  BuildRow(context, node, std::move(row), snapshot);
}

void WarnAboutDuplicateIds(LoadContext& context, const Snapshot& snapshot) {
  std::unordered_map<std::string_view, const Deployment*> seen;
  for (const Deployment& deployment : snapshot.deployments) {
    const auto [found, is_new] = seen.emplace(deployment.id, &deployment);
    if (is_new) continue;
    context.Warn({}, "model_list",
                 "rows of '" + found->second->model_name + "' and '" + deployment.model_name +
                     "' have the same id '" + deployment.id + "': the last one answers to it");
    found->second = &deployment;
  }
}

}  // namespace

void ReadDeployments(LoadContext& context, const yaml::Node& root, Snapshot& snapshot) {
  const yaml::Node* list = ReadList(root, "model_list");
  if (list == nullptr) return;
  for (size_t i = 0; i < list->items.size(); ++i) {
    ReadRow(context, root, list->items[i], Indexed("model_list", i), snapshot);
  }
  WarnAboutDuplicateIds(context, snapshot);
}

}  // namespace gw::config
