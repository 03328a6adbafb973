// An api_base taken apart: where to connect, and what comes before the path of a call.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/snapshot.h"

namespace gw::config {

// nullopt and a reason in `why` when `url` is no http(s) address. User and password in the address
// are refused: they would show up in logs and headers.
[[nodiscard]] std::optional<Origin> ParseOrigin(std::string_view url, std::string& why);
// Without query, fragment and trailing slashes: how the address is shown and kept.
[[nodiscard]] std::string CleanBase(std::string_view url);

}  // namespace gw::config
