// Why did the route go where it went? The steps of one request's decision, in order.
//
// Filled by the production router while it decides, for `intertie explain`, POST /router/explain
// and tests. A request that nobody asks about has no Explanation and pays a null check per step.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace gw::routing {

struct Explanation {
  enum class Kind : uint8_t {
    kResolve,   // what the name means; rows: all that it means
    kFilter,    // text: the filter; rows: who was dropped, and why
    kStrategy,  // who is left, and what chooses among them
    kPick,      // the row that is called
    kRefused,   // nothing to call, or limits of our own
    kOutcome,   // what the attempt came to
    kRetry,     // whether the group is tried again, and why (not)
    kWait,
    kLevel,     // next order level of the group
    kFailover,  // weighted failover: the group's other rows
    kFallback,  // the list that applies, and where it leads
    kMirror,
    kHedge,     // a second row beside the first
    kEnd,
  };
  struct Row {
    std::string id;
    std::string why;
  };
  struct Event {
    Kind kind = Kind::kEnd;
    double at_s = 0;  // since the request began
    std::string group;
    std::string text;
    std::vector<Row> rows;
  };

  std::vector<Event> events;
  TimePoint begin{};
  TimePoint now{};

  Event& Add(Kind kind, std::string_view group, std::string text) {
    Event& event = events.emplace_back();
    event.kind = kind;
    event.at_s = Seconds(now - begin);
    event.group = group;
    event.text = std::move(text);
    return event;
  }
};

[[nodiscard]] std::string_view ExplanationKindName(Explanation::Kind kind);

}  // namespace gw::routing
