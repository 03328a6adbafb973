// How long may one attempt take? Facts section 7: the first set value of a fixed chain.
#include <initializer_list>

#include "routing/router.h"

namespace gw::routing {
namespace {

constexpr double kTimeoutDefaultSeconds = 6000;

// The first value that is set and positive; 0 counts as "not set", as in LiteLLM.
std::optional<double> FirstSet(std::initializer_list<std::optional<double>> values) {
  for (const std::optional<double>& value : values) {
    if (value.has_value() && *value > 0) return value;
  }
  return std::nullopt;
}

}  // namespace

Timeouts ComputeTimeouts(const config::Snapshot& snapshot, const config::Deployment& deployment,
                         const RequestControls& controls) {
  const config::RouterSettings& router = snapshot.router;
  // compat: request_timeout outranks router_settings.timeout only when that is also set.
  const std::optional<double> request_timeout =
      router.timeout_s.has_value() ? router.request_timeout_s : std::nullopt;

  std::optional<double> by_client;
  std::optional<double> by_config;
  if (controls.stream) {
    by_client = FirstSet({controls.stream_timeout_s});
    by_config = FirstSet({deployment.stream_timeout_s, router.stream_timeout_s, request_timeout});
  }
  if (!by_client && !by_config) {
    by_client = FirstSet({controls.timeout_s});
    by_config = FirstSet({deployment.timeout_s, deployment.request_timeout_s, request_timeout,
                          router.timeout_s, router.request_timeout_s, kTimeoutDefaultSeconds});
  }
  const double seconds = by_client ? *by_client : *by_config;
  return {.first_byte_s = seconds,
          .chunk_gap_s = seconds,
          .first_content_s = controls.stream ? router.first_token_timeout_s : std::nullopt,
          .set_by_client = by_client.has_value()};
}

}  // namespace gw::routing
