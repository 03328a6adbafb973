#include "gateway/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "routing/scripted_answer.h"

namespace gw::gateway {

namespace {

using routing::Explanation;

// What an answer takes in the played time; only the order of events depends on it.
constexpr auto kAttemptTime = std::chrono::milliseconds(10);
constexpr size_t kListMax = 1000;

Error Refuse(std::string message, std::string param) {
  return ClientError(400, std::move(message), "invalid_request_error", std::move(param));
}

std::string_view AnswerOf(const ExplainQuestion& question, const routing::Candidate& candidate) {
  const config::Deployment& row = *candidate.deployment;
  for (const auto& [name, answer] : question.answers) {
    if (name == row.id) return answer;
  }
  for (const auto& [name, answer] : question.answers) {
    if (name == candidate.model_group || name == row.model_name) return answer;
  }
  return "ok";
}

// Numbers are accepted: {"vllm": 500}.
Result<void> ReadFailures(const json::Object& body, ExplainQuestion& question) {
  const json::Value* fail = json::Get(body, "fail");
  if (fail == nullptr || fail->is_null()) return {};
  if (!fail->is_object()) return Refuse("'fail' must be an object {deployment or group: answer}", "fail");
  for (const auto& entry : fail->get_object()) {
    const std::string answer = entry.value().is_string()
                                   ? std::string(entry.value().get_string().data(), entry.value().get_string().size())
                                   : json::Serialize(entry.value());
    auto parsed = ParseFailure(std::string(entry.key()) + "=" + answer);
    if (!parsed.ok()) return std::move(parsed.error());
    if (question.answers.size() >= kListMax) return Refuse("'fail' has too many members", "fail");
    question.answers.push_back(std::move(*parsed));
  }
  return {};
}

}  // namespace

Result<std::pair<std::string, std::string>> ParseFailure(std::string_view text) {
  const size_t at = text.rfind('=');
  if (at == std::string_view::npos || at == 0) {
    return Refuse("expected DEPLOYMENT_OR_GROUP=ANSWER, got '" + std::string(text) + "'", "fail");
  }
  const std::string_view answer = text.substr(at + 1);
  if (!routing::IsScriptedAnswer(answer)) {
    return Refuse("unknown answer '" + std::string(answer) +
                      "': a status such as 429 or 503, 429-after-2, timeout, reset, ctx, policy, permission or ok",
                  "fail");
  }
  return std::pair(std::string(text.substr(0, at)), std::string(answer));
}

Result<ExplainQuestion> ParseExplainBody(std::string_view body) {
  const auto tree = json::ParseTree(body);
  if (!tree || !tree->is_object()) return Refuse("Invalid JSON payload: expected an object", "request_body");
  const json::Object& object = tree->get_object();
  ExplainQuestion question;
  routing::RequestControls& controls = question.controls;
  controls.model = json::GetString(object, "model");
  if (controls.model.empty()) return Refuse("Missing required parameter: 'model'.", "model");
  controls.stream = json::IsTrue(object, "stream");
  controls.disable_fallbacks = json::IsTrue(object, "disable_fallbacks");
  controls.team_id = json::GetString(object, "team");
  controls.allowed_region = json::GetString(object, "region");
  controls.input_tokens_estimate = std::max<int64_t>(json::GetInt(object, "input_tokens", 0), 0);
  const auto small = [&object](std::string_view key) -> std::optional<int> {
    const int64_t value = json::GetInt(object, key, -1);
    if (value < 0) return std::nullopt;
    return static_cast<int>(std::min<int64_t>(value, 1'000'000));
  };
  controls.priority = small("priority");
  controls.num_retries = small("num_retries");
  question.seed = static_cast<uint64_t>(json::GetInt(object, "seed", 1));
  if (const json::Value* tags = json::Get(object, "tags")) controls.tags = json::StringsOf(*tags);
  if (controls.tags.size() > kListMax) controls.tags.resize(kListMax);
  if (auto read = ReadFailures(object, question); !read.ok()) return std::move(read.error());
  return question;
}

ExplainAnswer RunExplain(const routing::ModelIndex& index, routing::SharedState& state,
                         const ExplainQuestion& question, TimePoint now) {
  ExplainAnswer answer;
  answer.model = question.controls.model;
  answer.explanation.begin = answer.explanation.now = now;
  routing::Random random(question.seed);
  routing::RequestRoute route(index, state, question.controls, &answer.explanation);
  while (true) {
    routing::Step step = route.Next(now, random);
    if (step.kind == routing::Step::Kind::kWait) {
      answer.waited_s += Seconds(step.wait);
      now += step.wait;
      continue;
    }
    if (step.kind == routing::Step::Kind::kFail) {
      answer.status = step.error.status;
      answer.message = std::move(step.error.message);
      break;
    }
    now += kAttemptTime;
    const config::Deployment& row = *step.candidate.deployment;
    const auto error = routing::ScriptedError(AnswerOf(question, step.candidate), row.provider);
    if (!error.has_value()) {
      route.OnAttemptSucceeded(now);
      answer.status = 200;
      answer.deployment = row.id;
      answer.upstream_model = step.candidate.upstream_model;
      break;
    }
    (void)route.OnAttemptFailed(*error, now);
  }
  answer.attempts = route.attempts();
  return answer;
}

std::string RenderExplainText(const ExplainAnswer& answer) {
  std::string out;
  const auto line = std::back_inserter(out);
  for (const Explanation::Event& event : answer.explanation.events) {
    fmt::format_to(line, "{:8.3f}  {:<9} {}: {}\n", event.at_s, routing::ExplanationKindName(event.kind), event.group,
                   event.text);
    for (const Explanation::Row& row : event.rows) {
      fmt::format_to(line, "{:21}- {}{}{}\n", "", row.id, row.why.empty() ? "" : ": ", row.why);
    }
  }
  fmt::format_to(line, "{} attempts, {:.3f} s of pauses: ", answer.attempts, answer.waited_s);
  if (answer.status == 200) {
    fmt::format_to(line, "200 from {} ({})\n", answer.deployment, answer.upstream_model);
  } else {
    fmt::format_to(line, "{}: {}\n", answer.status, answer.message);
  }
  return out;
}

json::Value RenderExplainJson(const ExplainAnswer& answer) {
  json::Array steps;
  for (const Explanation::Event& event : answer.explanation.events) {
    json::Object step;
    step["at_s"] = event.at_s;
    step["step"] = boost::json::string_view(routing::ExplanationKindName(event.kind));
    step["group"] = event.group;
    step["text"] = event.text;
    json::Array rows;
    for (const Explanation::Row& row : event.rows) {
      json::Object entry;
      entry["id"] = row.id;
      if (!row.why.empty()) entry["why"] = row.why;
      rows.emplace_back(std::move(entry));
    }
    if (!rows.empty()) step["rows"] = std::move(rows);
    steps.emplace_back(std::move(step));
  }
  json::Object out;
  out["model"] = answer.model;
  out["status"] = answer.status;
  if (answer.status == 200) {
    out["deployment"] = answer.deployment;
    out["upstream_model"] = answer.upstream_model;
  } else {
    out["message"] = answer.message;
  }
  out["attempts"] = answer.attempts;
  out["waited_s"] = answer.waited_s;
  out["steps"] = std::move(steps);
  return out;
}

}  // namespace gw::gateway
