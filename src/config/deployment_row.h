// One model_list row -> one Deployment. Steps of deployments.cc, apart for their length.
#pragma once

#include <optional>
#include <string>

#include "config/load_context.h"

namespace gw::config {

// A row whose defaults and credentials are merged and whose organization is a single text.
struct Row {
  std::string path;  // "model_list[2]"
  yaml::Place place;
  std::string model_name;
  yaml::Node params;      // litellm_params
  yaml::Node info;        // model_info, maybe null
  std::string hash_text;  // what a generated id is made of
  std::string id_suffix;  // second and later values of an organization list
};

// Why a row is dropped.
struct Refusal {
  std::string key;  // below litellm_params; may be empty
  std::string why;
};

// Provider, model, address, key. A refusal drops the row.
[[nodiscard]] std::optional<Refusal> ReadTarget(LoadContext& context, const Row& row,
                                                Deployment& out);
// Limits, timeouts, tags, headers, request defaults.
[[nodiscard]] std::optional<Refusal> ReadParameters(LoadContext& context, const Row& row,
                                                    const Snapshot& snapshot, Deployment& out);
// Id, mode, prices, facts, probes.
void ReadModelInfo(LoadContext& context, const Row& row, const Snapshot& snapshot, Deployment& out);
// litellm_params for people: no secret, timeouts as numbers.
[[nodiscard]] json::Object ShowParams(const yaml::Node& params);
// The same text for the same row, whatever the environment says and the order of keys is.
[[nodiscard]] std::string CanonicalText(const yaml::Node& node);

}  // namespace gw::config
