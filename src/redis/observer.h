// Who wants to know what happens on the way to Redis: metrics. Loop's thread; must not block.
#pragma once

#include <string_view>

#include "base/clock.h"

namespace gw::redis {

class Observer {
 public:
  Observer() = default;
  virtual ~Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  // One call that was sent. error_class empty: answered.
  virtual void OnCall(std::string_view function, Duration took, std::string_view error_class) = 0;
  // A server went away (the class of the failure) or is used again (empty).
  virtual void OnBreaker(std::string_view failure_class) = 0;
  // Changes of how many servers are away, and used.
  virtual void OnServers(int away, int used) = 0;
};

}  // namespace gw::redis
