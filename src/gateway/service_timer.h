// How long did a part of the gateway take? For service_callback: prometheus_system; without it the
// clock is not read.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "gateway/request_context.h"

namespace gw::gateway {

class ServiceTimer {
 public:
  ServiceTimer(RequestContext& context, metrics::Service service)
      : context_(context), service_(service), is_on_(context.core.metrics->times_services()) {
    if (is_on_) begin_ = SteadyClock::now();
  }
  // From another moment on than the timer's own beginning.
  void BeginAt(TimePoint begin) { begin_ = begin; }
  void Done() {
    if (!is_on_) return;
    context_.core.metrics->OnService(context_.worker, service_, Seconds(SteadyClock::now() - begin_));
  }
  void Failed(const Error& error, std::string_view function) {
    if (!is_on_) return;
    context_.core.metrics->OnServiceFailure(context_.worker, service_, ErrorClassName(error.cls), function);
  }

 private:
  RequestContext& context_;
  const metrics::Service service_;
  const bool is_on_;
  TimePoint begin_{};
};

}  // namespace gw::gateway
