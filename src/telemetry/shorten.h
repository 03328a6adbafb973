// A member that is longer than a receiver takes becomes its beginning, as text. Pure.
#pragma once

#include <cstddef>

#include "base/json_tree.h"

namespace gw::telemetry {

// Anything but a text counts as its JSON. Shorter values stay as they are.
void ShortenValue(json::Value& value, size_t bytes_max);

}  // namespace gw::telemetry
