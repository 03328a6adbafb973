// What do the custom labels of the metrics say about this request?
// (custom_prometheus_metadata_labels and custom_prometheus_tags)
#pragma once

#include "gateway/request_context.h"

namespace gw::gateway {

// Fills context.custom and lets the caller's labels point to it. Nothing without the settings. Called
// once the caller is known, and again when the body has been read: refused requests have labels too.
void ResolveCustomLabels(RequestContext& context);

}  // namespace gw::gateway
