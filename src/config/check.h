// One finding per key of the document: is it known, of the right type, and what becomes of it?
#pragma once

#include <string_view>

#include "config/load_context.h"
#include "config/schema.h"

namespace gw::config {

// Reports every key of `node`. Returns how many effective keys have a value of a wrong type.
[[nodiscard]] int CheckKeys(LoadContext& context, Section section, const yaml::Node& node,
                            std::string_view path);

// Everything but the rows of model_list (deployments.h checks each row itself, because a wrong
// type there drops the row only). Wrong types here forbid the start.
void CheckSections(LoadContext& context, const yaml::Node& root);

}  // namespace gw::config
