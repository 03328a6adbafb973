// How long does an upstream ask us to stay away?
#pragma once

#include "base/error.h"

namespace gw::translate {

// Seconds of the Retry-After header: a number (rounded up), or an HTTP date measured against the
// Date header of the same answer, because this folder has no clock. -1: none, or unreadable.
[[nodiscard]] int RetryAfterSeconds(const HeaderList& headers);

}  // namespace gw::translate
