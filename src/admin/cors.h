// Browsers from other origins: the preflight answer and the lines of ordinary answers.
//
// `origins` is LITELLM_CORS_ORIGINS: "*" (the default) or a comma list. A preflight is answered for
// any path, before routing and without a key, since browsers send none.
#pragma once

#include <string>
#include <string_view>

#include "admin/answer.h"

namespace gw::admin {

struct CorsRequest {
  std::string_view origin;           // Origin
  std::string_view request_method;   // Access-Control-Request-Method
  std::string_view request_headers;  // Access-Control-Request-Headers
};

// OPTIONS with Origin and Access-Control-Request-Method; a bare OPTIONS goes to the route table.
[[nodiscard]] bool IsPreflight(std::string_view method, const CorsRequest& request);
[[nodiscard]] Answer PreflightAnswer(std::string_view origins, const CorsRequest& request);

// Lines for any other answer; nothing without an Origin header or for one that is not listed.
void AppendCorsLines(std::string_view origins, std::string_view origin, std::string& out);

}  // namespace gw::admin
