// Which models are there, and what is known about them?
//
//   GET /v1/models, /models             ListModelsAnswer      OpenAI's list
//   GET /v1/models/{id}, /models/{id}   GetModelAnswer        one entry
//   GET /model/info, /v1/model/info     ModelInfoAnswer       per deployment, without secrets
//   GET /model_group/info               ModelGroupInfoAnswer  per public name
//
// Pure and cold: each answer is built from the snapshot when it is asked for. Secrets cannot leak
// from here: only Deployment::shown_params is printed.
#pragma once

#include <string_view>

#include "admin/answer.h"
#include "config/snapshot.h"

namespace gw::admin {

// Order: visible aliases, plain names, names that wildcards are known to reach. Hidden aliases are
// left out; a pattern itself is listed with ?return_wildcard_routes=true only.
[[nodiscard]] Answer ListModelsAnswer(const config::Snapshot& snapshot, std::string_view query);

// `model`: the path's part, decoded. 404 for what the list (with patterns matched) does not hold.
[[nodiscard]] Answer GetModelAnswer(const config::Snapshot& snapshot, std::string_view model);

// ?litellm_model_id= keeps one deployment; 400 when there is none.
[[nodiscard]] Answer ModelInfoAnswer(const config::Snapshot& snapshot, std::string_view query);

// ?model_group= keeps one group.
[[nodiscard]] Answer ModelGroupInfoAnswer(const config::Snapshot& snapshot, std::string_view query);

}  // namespace gw::admin
