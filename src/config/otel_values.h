// How are values of OTEL_* variables written? Pairs with commas between, addresses per signal.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gw::config {

// "a=1,b=two%20words" -> pairs, percent-decoded. An entry without "=" has an empty name.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> ParsePairs(std::string_view text);
// Can it stand in a request's head?
[[nodiscard]] bool IsHeader(std::string_view name, std::string_view value);
// Of a general address: with the path of the signal ("traces") behind it.
// compat: a path of another signal is replaced.
[[nodiscard]] std::string OtlpUrl(std::string_view endpoint, std::string_view signal);

}  // namespace gw::config
