// RouteMachine, third part: what it tells an Explanation.
#include <fmt/format.h>

#include "routing/explanation.h"
#include "routing/route_machine.h"

namespace gw::routing {
namespace {

std::string RuleText(const ModelIndex::Match& match) {
  switch (match.rule) {
    case ModelIndex::Rule::kId: return "the id of a row";
    case ModelIndex::Rule::kAlias:
      return "an alias of '" + match.deployments.front()->model_name + "'";
    case ModelIndex::Rule::kRoutingGroup: return "a routing group";
    case ModelIndex::Rule::kTeam: return "a name of the caller's team";
    case ModelIndex::Rule::kGroup: return "a model group";
    case ModelIndex::Rule::kPattern: return fmt::format("matched by '{}'", match.pattern);
    case ModelIndex::Rule::kUpstreamName: return "the upstream's own name of the model";
  }
  return "";
}

}  // namespace

void RouteMachine::Note(Explanation::Kind kind, const Layer& layer, std::string_view text) {
  if (why_ == nullptr) return;
  why_->Add(kind, layer.is_known ? std::string_view(layer.group()) : layer.name, std::string(text));
}

void RouteMachine::ExplainResolve(const Layer& layer) {
  if (!layer.is_known) {
    Note(Explanation::Kind::kResolve, layer, "unknown");
    return;
  }
  Explanation::Event& event =
      why_->Add(Explanation::Kind::kResolve, layer.name, RuleText(layer.match()));
  for (const config::Deployment* row : layer.match().deployments) {
    event.rows.push_back({row->id, row->litellm_model});
  }
}

void RouteMachine::ExplainOutcome(const Error* error, const FailureEffect& effect) {
  std::string text = error == nullptr ? "answered" : fmt::format("{} {}", error->status,
                                                                 ErrorClassName(error->cls));
  if (effect.cooldown_started) {
    text += fmt::format("; cools down for {:g} s", Seconds(effect.cooldown));
  }
  Note(Explanation::Kind::kOutcome, stack_.back(), text);
}

void RouteMachine::ExplainPlan(const Layer& layer) {
  if (why_ == nullptr) return;
  if (controls_.disable_fallbacks) {
    Note(Explanation::Kind::kFallback, layer, "none: the request forbids them");
    return;
  }
  Explanation::Event& event = why_->Add(Explanation::Kind::kFallback, layer.name,
                                        layer.plan.empty() ? "no list applies" : "the list");
  for (const config::FallbackTarget* target : layer.plan) event.rows.push_back({target->model, ""});
}

}  // namespace gw::routing
