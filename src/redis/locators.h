// Which address is it now? A fixed one, or what the sentinels say.
#pragma once

#include <memory>

#include "redis/node.h"
#include "redis/options.h"

namespace gw::redis {

[[nodiscard]] std::shared_ptr<Locator> MakeFixedLocator(net::DialTarget target);
// Asks one sentinel after the other; the one that answered is asked first the next time.
[[nodiscard]] std::shared_ptr<Locator> MakeSentinelLocator(OptionsPtr options);

// Where the settings' one master is: fixed, or by sentinels. Not for clusters.
[[nodiscard]] std::shared_ptr<Locator> MakeLocator(const OptionsPtr& options);

}  // namespace gw::redis
