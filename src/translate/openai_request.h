// What does an OpenAI-compatible upstream receive: path, headers and the spliced body?
//
//   client body  --cut orders to the gateway, nulls, refused parameters
//                --put the upstream's model name in
//                --add the deployment's defaults, extra_body, a fallback's overrides
//                --ask a stream for its usage
//
// Nothing is parsed into a tree and nothing is re-serialised. Precedence of one and the same key:
// fallback override, extra_body (OpenAI's own parameters), client, extra_body (others), default.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "translate/translator.h"

namespace gw::translate {

[[nodiscard]] Result<UpstreamRequest> BuildOpenAiRequest(const ClientRequest& request,
                                                         const AttemptTarget& target,
                                                         std::string_view path);

// Authorization, organization, the deployment's extra headers and the client's (`client_headers`:
// its extra_headers object as text, or empty). Names that would change the framing or the
// credentials are not taken from the client.
[[nodiscard]] HeaderList BuildOpenAiHeaders(std::string_view client_headers,
                                            const AttemptTarget& target);

}  // namespace gw::translate
