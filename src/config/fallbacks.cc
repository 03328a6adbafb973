// Are fallback lists and aliases well-formed, and do they name something?
#include "config/fallbacks.h"

#include <algorithm>

#include "base/strings.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

// A value inside a message as Python prints it: text in single quotes.
std::string PythonText(const yaml::Node& node) {
  if (node.IsString()) return "'" + node.text + "'";
  if (node.IsNull()) return "None";
  std::string out;
  yaml::AppendJson(out, node);
  return out;
}

bool ReadTarget(LoadContext& context, const yaml::Node& node, std::string_view path,
                FallbackTarget& target) {
  if (node.IsString()) {
    target.model = node.text;
    return true;
  }
  const auto model = node.IsMapping() ? ReadString(node, "model") : std::nullopt;
  if (!model) {
    context.Fatal(kExitRefused, node.place, path,
                  "expected a model name or {model: name, ...}, got " + PythonText(node));
    return false;
  }
  target.model = *model;
  for (const yaml::Member& member : node.members) {
    const std::string key = yaml::KeyText(member.key);
    if (key != "model") target.overrides[key] = yaml::ToJson(member.value);
  }
  return true;
}

void ReadItem(LoadContext& context, const yaml::Node& item, std::string_view path,
              std::vector<FallbackList>& lists) {
  if (!item.IsMapping()) {
    context.Fatal(kExitRefused, item.place, path,
                  "Item " + PythonText(item) + " is not a dictionary.");
    return;
  }
  if (item.members.size() != 1) {
    context.Fatal(kExitRefused, item.place, path,
                  "Dictionary '" + PythonText(item) + "' must have exactly one key, but has " +
                      std::to_string(item.members.size()) + " keys.");
    return;
  }
  const yaml::Member& member = item.members[0];
  FallbackList list;
  list.group = yaml::KeyText(member.key);
  if (!member.value.IsSequence()) {
    const std::string name = PythonText(member.value);
    context.Fatal(kExitRefused, member.value.place, Join(path, list.group),
                  "Fallbacks for '" + list.group + "' must be a list of model names, got " + name +
                      ". Use {'" + list.group + "': [" + name + "]}");
    return;
  }
  for (size_t i = 0; i < member.value.items.size(); ++i) {
    FallbackTarget target;
    const std::string target_path = Indexed(Join(path, list.group), i);
    if (!ReadTarget(context, member.value.items[i], target_path, target)) return;
    list.targets.push_back(std::move(target));
  }
  lists.push_back(std::move(list));
}

}  // namespace

std::vector<FallbackList> ReadFallbacks(LoadContext& context, const yaml::Node& list,
                                        std::string_view path) {
  std::vector<FallbackList> lists;
  if (list.IsNull()) return lists;
  if (!list.IsSequence()) {
    context.Fatal(
        kExitRefused, list.place, path,
        "expected a list of {group: [targets]}, got a " + std::string(yaml::KindName(list.kind)));
    return lists;
  }
  for (size_t i = 0; i < list.items.size(); ++i) {
    ReadItem(context, list.items[i], Indexed(path, i), lists);
  }
  return lists;
}

std::vector<FallbackTarget> ReadDefaultFallbacks(LoadContext& context, const yaml::Node& list,
                                                 std::string_view path) {
  std::vector<FallbackTarget> targets;
  if (list.IsNull()) return targets;
  if (!list.IsSequence()) {
    const std::string name = PythonText(list);
    context.Fatal(
        kExitRefused, list.place, path,
        "default_fallbacks must be a list of model names, got " + name + ". Use [" + name + "]");
    return targets;
  }
  for (size_t i = 0; i < list.items.size(); ++i) {
    FallbackTarget target;
    if (ReadTarget(context, list.items[i], Indexed(path, i), target)) {
      targets.push_back(std::move(target));
    }
  }
  return targets;
}

std::vector<ModelAlias> ReadAliases(LoadContext& context, const yaml::Node& map,
                                    std::string_view path) {
  std::vector<ModelAlias> aliases;
  for (const yaml::Member& member : map.members) {
    ModelAlias alias;
    alias.alias = yaml::KeyText(member.key);
    if (member.value.IsString()) {
      alias.model = member.value.text;
    } else {
      alias.model = ReadString(member.value, "model").value_or("");
      alias.hidden = ReadBool(member.value, "hidden").value_or(false);
    }
    if (alias.model.empty()) {
      context.Error(member.value.place, Join(path, alias.alias),
                    "expected a model name or {model: name, hidden: true}; the alias is dropped");
      continue;
    }
    aliases.push_back(std::move(alias));
  }
  return aliases;
}

namespace {

bool NamesSomething(const Snapshot& snapshot, std::string_view name) {
  const auto serves = [name](const Deployment& d) {
    return d.id == name || d.litellm_model == name || GlobMatch(d.model_name, name, nullptr);
  };
  if (std::any_of(snapshot.deployments.begin(), snapshot.deployments.end(), serves)) return true;
  const auto& groups = snapshot.router.routing_groups;
  if (std::any_of(groups.begin(), groups.end(), [name](const RoutingGroup& g) { return g.name == name; }))
    return true;
  return std::any_of(snapshot.router.aliases.begin(), snapshot.router.aliases.end(),
                     [name](const ModelAlias& a) { return a.alias == name; });
}

// Where the operator wrote it; the settings of the two sections are alternatives.
const yaml::Node* FindSetting(const yaml::Node& root, std::string_view key, std::string& path) {
  for (const std::string_view section : {"router_settings", "litellm_settings"}) {
    const yaml::Node* settings = ReadMap(root, section);
    const yaml::Node* node = settings == nullptr ? nullptr : settings->Find(key);
    if (node != nullptr && !node->IsNull()) {
      path = Join(section, key);
      return node;
    }
  }
  return nullptr;
}

void CheckList(LoadContext& context, const Snapshot& snapshot, const yaml::Node& root,
               std::string_view key, const std::vector<FallbackList>& lists) {
  std::string path;
  const yaml::Node* node = FindSetting(root, key, path);
  const yaml::Place place = node == nullptr ? yaml::Place{} : node->place;
  for (const FallbackList& list : lists) {
    for (const FallbackTarget& target : list.targets) {
      if (NamesSomething(snapshot, target.model)) continue;
      context.Warn(place, path,
                   "fallback target '" + target.model + "' of '" + list.group +
                       "' is not in model_list: it fails when it is needed");
    }
  }
}

// Without it no request could be answered from the semantic cache: whoever asked for one should know at once.
void CheckEmbeddingModel(LoadContext& context, const Snapshot& snapshot, const yaml::Node& root) {
  const std::string& model = snapshot.cache.semantic.embedding_model;
  if (!snapshot.cache.is_semantic() || NamesSomething(snapshot, model)) return;
  const yaml::Node& params = SectionOf(SectionOf(root, "litellm_settings"), "cache_params");
  const yaml::Node* named = params.Find("redis_semantic_cache_embedding_model");
  context.Fatal(kExitRefused, named == nullptr ? params.place : named->place,
                "litellm_settings.cache_params.redis_semantic_cache_embedding_model",
                "'" + model + "' is not in model_list: the semantic cache embeds prompts through a model group of it");
}

}  // namespace

void CheckTargets(LoadContext& context, const Snapshot& snapshot, const yaml::Node& root) {
  const RouterSettings& router = snapshot.router;
  CheckList(context, snapshot, root, "fallbacks", router.fallbacks);
  CheckList(context, snapshot, root, "context_window_fallbacks", router.context_window_fallbacks);
  CheckList(context, snapshot, root, "content_policy_fallbacks", router.content_policy_fallbacks);
  CheckEmbeddingModel(context, snapshot, root);
  std::string path;
  const yaml::Node* aliases = FindSetting(root, "model_group_alias", path);
  for (const ModelAlias& alias : router.aliases) {
    if (!NamesSomething(snapshot, alias.model) && aliases != nullptr) {
      context.Warn(aliases->place, path,
                   "alias '" + alias.alias + "' stands for '" + alias.model +
                       "', which is not in model_list");
    }
  }
}

}  // namespace gw::config
