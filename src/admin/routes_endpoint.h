// What does this gateway answer to? /routes for programs, / for a person with a browser, /test.
#pragma once

#include <string_view>

#include "admin/answer.h"

namespace gw::admin {

// {"routes": [{"path", "methods", "name", "endpoint"}]}, from the route table.
[[nodiscard]] Answer RoutesAnswer();
// A short page; 404 when NO_DOCS is set.
[[nodiscard]] Answer RootAnswer(bool no_docs);
[[nodiscard]] Answer TestAnswer();
// OPTIONS of a route that has it: empty, with Allow.
[[nodiscard]] Answer OptionsAnswer(std::string_view allow);
// 405 and 307 as the route table decided. The target of the redirect is relative: what stands in
// front of us may speak another scheme. `query` is kept.
[[nodiscard]] Answer MethodNotAllowedAnswer(std::string_view allow);
[[nodiscard]] Answer RedirectAnswer(std::string_view root_path, std::string_view location,
                                    std::string_view query);

}  // namespace gw::admin
