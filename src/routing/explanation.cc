#include "routing/explanation.h"

namespace gw::routing {

std::string_view ExplanationKindName(Explanation::Kind kind) {
  switch (kind) {
    case Explanation::Kind::kResolve: return "resolve";
    case Explanation::Kind::kFilter: return "filter";
    case Explanation::Kind::kStrategy: return "strategy";
    case Explanation::Kind::kPick: return "pick";
    case Explanation::Kind::kRefused: return "refused";
    case Explanation::Kind::kOutcome: return "outcome";
    case Explanation::Kind::kRetry: return "retry";
    case Explanation::Kind::kWait: return "wait";
    case Explanation::Kind::kLevel: return "order";
    case Explanation::Kind::kFailover: return "failover";
    case Explanation::Kind::kFallback: return "fallback";
    case Explanation::Kind::kMirror: return "mirror";
    case Explanation::Kind::kHedge: return "hedge";
    case Explanation::Kind::kEnd: return "end";
  }
  return "";
}

}  // namespace gw::routing
