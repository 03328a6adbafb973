#include "config/otel_settings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/strings.h"
#include "config/load_context.h"
#include "config/origin.h"
#include "config/otel_values.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr std::string_view kDefaultEndpoint = "http://localhost:4318";

struct SignalNames {
  std::string_view upper, lower;  // "TRACES", "traces"
  std::string_view exporter;      // OTEL_TRACES_EXPORTER
};
constexpr SignalNames kTraces{"TRACES", "traces", "OTEL_TRACES_EXPORTER"};
constexpr SignalNames kMetrics{"METRICS", "metrics", "OTEL_METRICS_EXPORTER"};
constexpr SignalNames kLogs{"LOGS", "logs", "OTEL_LOGS_EXPORTER"};

// A value and the variable that gave it, for findings.
struct Given {
  std::string value, variable;
};

class OtelReader {
 public:
  OtelReader(LoadContext& context, bool has_callback) : context_(context), has_callback_(has_callback) {}

  // `is_wanted`: without a variable that names the signal.
  void ReadSignal(const SignalNames& names, bool is_wanted, OtelSignal& out) {
    if (!IsOn(names, is_wanted)) return;
    auto endpoint = ReadEndpoint(names);
    if (!endpoint || !ReadProtocol(names, *endpoint, out)) return;
    std::string why;
    const auto origin = ParseOrigin(endpoint->value, why);
    if (!origin) {
      if (why.starts_with("api_base")) why.replace(0, 8, "it");
      context_.Error({}, endpoint->variable, why + "; no " + std::string(names.lower) + " are sent");
      return;
    }
    if (origin->port == 4317) {
      context_.Warn({}, endpoint->variable,
                    "port 4317 is gRPC's by custom; OTLP over HTTP is sent to it (its port is 4318)");
    }
    out.url = endpoint->value;
    ReadHeaders(names, out.headers);
    ReadTransport(names, out);
    out.on = true;
    context_.Add(Severity::kInfo, KeyStatus::kEffective, {}, endpoint->variable,
                 std::string(names.lower) + " go to " + (origin->tls ? "https://" : "http://") + origin->host_header);
  }

 private:
  [[nodiscard]] std::string Variable(const SignalNames& names, std::string_view what) const {
    return "OTEL_EXPORTER_OTLP_" + std::string(names.upper) + "_" + std::string(what);
  }

  // The signal's own variable first, then the one for all, then LiteLLM's.
  [[nodiscard]] std::optional<Given> Find(const SignalNames& names, std::string_view what,
                                          std::string_view litellm = {}) {
    const std::string shared = "OTEL_EXPORTER_OTLP_" + std::string(what);
    for (std::string variable : {Variable(names, what), shared, std::string(litellm)}) {
      if (variable.empty()) continue;
      if (auto value = context_.env.FirstOf(variable)) return Given{std::move(*value), std::move(variable)};
    }
    return std::nullopt;
  }

  [[nodiscard]] bool IsOn(const SignalNames& names, bool is_wanted) {
    const auto exporter = context_.env.FirstOf(names.exporter);
    if (!exporter) return is_wanted || context_.env.FirstOf(Variable(names, "ENDPOINT"));
    const std::string_view name = Trim(*exporter);
    if (name == "otlp") return true;
    if (name == "none") {
      if (has_callback_ && names.upper == "TRACES") {
        context_.Warn({}, names.exporter, "none wins over the callback otel: no traces are sent");
      }
      return false;
    }
    context_.Warn({}, names.exporter,
                  "expected otlp or none, got \"" + std::string(name) + "\"; no " + std::string(names.lower) +
                      " are sent (general_settings.access_log prints requests)");
    return false;
  }

  // Complete: a general address gets the signal's path, an own one stays as it is.
  [[nodiscard]] std::optional<Given> ReadEndpoint(const SignalNames& names) {
    auto given = Find(names, "ENDPOINT", has_callback_ ? "OTEL_ENDPOINT" : "");
    if (!given) given = Given{std::string(kDefaultEndpoint), "OTEL_EXPORTER_OTLP_ENDPOINT"};
    if (given->variable == Variable(names, "ENDPOINT")) {
      given->value = std::string(Trim(given->value));
      return given;
    }
    given->value = OtlpUrl(given->value, names.lower);
    return given;
  }

  // False: nothing can be sent.
  [[nodiscard]] bool ReadProtocol(const SignalNames& names, Given& endpoint, OtelSignal& out) {
    const auto given = Find(names, "PROTOCOL", has_callback_ ? "OTEL_EXPORTER" : "");
    if (!given) return true;
    const std::string name = ToLower(Trim(given->value));
    if (name == "http/protobuf" || name == "otlp_http") return true;
    if (name == "http/json") {
      out.protocol = OtelProtocol::kHttpJson;
      return true;
    }
    if (name != "grpc" && name != "otlp_grpc") {
      context_.Warn({}, given->variable, "expected http/protobuf or http/json, got \"" + name + "\"; no " +
                                             std::string(names.lower) + " are sent");
      return false;
    }
    // The pair of ports that every collector has: 4317 for gRPC, 4318 for HTTP.
    std::string why;
    const auto origin = ParseOrigin(endpoint.value, why);
    if (origin && origin->port == 4318) {
      return Say(*given, "gRPC is not spoken here: http/protobuf is sent to port 4318");
    }
    if (origin && origin->port == 4317) {
      const size_t at = endpoint.value.find(":4317");
      endpoint.value.replace(at, 5, ":4318");
      if (origin->base_path.empty()) endpoint.value = OtlpUrl(endpoint.value, names.lower);
      return Say(*given, "gRPC is not spoken here: http/protobuf is sent to port 4318 instead of 4317");
    }
    context_.Error({}, given->variable, "gRPC is not spoken here; no " + std::string(names.lower) +
                                            " are sent. Set it to http/protobuf and " + endpoint.variable +
                                            " to the collector's HTTP address (port 4318 by custom)");
    return false;
  }
  [[nodiscard]] bool Say(const Given& given, std::string message) {
    context_.Warn({}, given.variable, std::move(message));
    return true;
  }

  void ReadHeaders(const SignalNames& names, HeaderList& out) {
    const auto given = Find(names, "HEADERS", has_callback_ ? "OTEL_HEADERS" : "");
    if (!given) return;
    for (auto& [name, value] : ParsePairs(given->value)) {
      if (IsHeader(name, value)) {
        out.emplace_back(ToLower(name), std::move(value));
      } else {
        // Never the text itself: it may be a key.
        context_.Warn({}, given->variable, "expected name=value pairs with commas between; an entry is left out");
      }
    }
  }

  void ReadTransport(const SignalNames& names, OtelSignal& out) {
    if (const auto given = Find(names, "TIMEOUT")) {
      const auto value = ParseDouble(Trim(given->value));
      if (!value || *value <= 0) {
        context_.Warn({}, given->variable, "expected milliseconds; 10000 counts");
      } else {
        out.timeout_s = std::min(*value / 1000, 600.0);
        if (*value < 100) {
          context_.Warn({}, given->variable, "it counts milliseconds: " + given->value + " is very short");
        }
      }
    }
    if (const auto given = Find(names, "COMPRESSION")) {
      const std::string name = ToLower(Trim(given->value));
      out.gzip = name == "gzip";
      if (!out.gzip && name != "none") {
        context_.Warn({}, given->variable, "expected gzip or none; nothing is compressed");
      }
    }
    if (const auto given = Find(names, "CERTIFICATE")) out.ca_file = given->value;
    for (const std::string_view what : {"CLIENT_KEY", "CLIENT_CERTIFICATE"}) {
      if (const auto given = Find(names, what)) {
        context_.Warn({}, given->variable, "client certificates are not supported; it is left out");
      }
    }
  }

  LoadContext& context_;
  const bool has_callback_;
};

void ReadBatch(LoadContext& context, std::string_view prefix, double& delay_s, size_t& items, size_t& queue_bytes) {
  const auto positive = [&](std::string_view name) {
    const std::string variable = std::string(prefix) + std::string(name);
    const auto value = EnvNumber(context, variable);
    if (value && *value > 0) return value;
    if (value) context.Warn({}, variable, "expected a number above 0; the default counts");
    return std::optional<double>();
  };
  if (const auto value = positive("_SCHEDULE_DELAY")) delay_s = std::min(*value / 1000, 3600.0);
  if (const auto value = positive("_MAX_EXPORT_BATCH_SIZE")) {
    items = static_cast<size_t>(std::clamp(*value, 1.0, 65'536.0));
  }
  // What waits is bounded in bytes; a span of a request has some kilobytes.
  constexpr double kBytesPerItem = 4096;
  if (const auto value = positive("_MAX_QUEUE_SIZE")) {
    queue_bytes = static_cast<size_t>(std::clamp(*value, 256.0, 262'144.0) * kBytesPerItem);
  }
}

void ReadSampler(LoadContext& context, OtelSettings& out) {
  constexpr std::array<std::string_view, 6> kNames = {
      "always_on",             "always_off",             "traceidratio",
      "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"};
  if (const auto given = context.env.FirstOf("OTEL_TRACES_SAMPLER")) {
    const auto found = std::find(kNames.begin(), kNames.end(), ToLower(Trim(*given)));
    if (found != kNames.end()) {
      out.sampler = static_cast<uint8_t>(found - kNames.begin());
    } else {
      context.Warn({}, "OTEL_TRACES_SAMPLER", "unknown sampler \"" + *given + "\"; parentbased_always_on is used");
    }
  }
  const auto ratio = EnvNumber(context, "OTEL_TRACES_SAMPLER_ARG");
  if (!ratio) return;
  if (*ratio >= 0 && *ratio <= 1) {
    out.sample_ratio = *ratio;
  } else {
    context.Warn({}, "OTEL_TRACES_SAMPLER_ARG", "expected a share from 0 to 1; 1 is used");
  }
}

void ReadResource(LoadContext& context, OtelSettings& out) {
  // compat: service.name is "litellm" until somebody names it.
  std::string service = "litellm";
  if (const auto given = context.env.FirstOf("OTEL_RESOURCE_ATTRIBUTES")) {
    for (auto& [name, value] : ParsePairs(*given)) {
      if (name.empty()) {
        context.Warn({}, "OTEL_RESOURCE_ATTRIBUTES",
                     "expected name=value pairs with commas between; an entry is left out");
      } else if (name == "service.name") {
        service = std::move(value);
      } else {
        out.resource.emplace_back(std::move(name), std::move(value));
      }
    }
  }
  if (auto given = context.env.FirstOf("OTEL_SERVICE_NAME")) service = std::move(*given);
  out.resource.emplace(out.resource.begin(), "service.name", std::move(service));
  const auto has = [&](std::string_view name) {
    return std::any_of(out.resource.begin(), out.resource.end(), [&](const auto& pair) { return pair.first == name; });
  };
  if (auto given = context.env.FirstOf("OTEL_ENVIRONMENT_NAME"); given && !has("deployment.environment")) {
    out.resource.emplace_back("deployment.environment", std::move(*given));
  }
}

void ReadCapture(LoadContext& context, const yaml::Node& root, OtelSettings& out) {
  constexpr std::string_view kVariable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
  const auto set = [&out](bool spans, bool logs) {
    out.content_in_spans = spans;
    out.content_in_logs = logs;
  };
  const yaml::Node& otel = SectionOf(SectionOf(root, "callback_settings"), "otel");
  if (ReadBool(otel, "message_logging").value_or(false)) set(true, false);
  if (const auto given = context.env.FirstOf(kVariable)) {
    const std::string name = ToLower(Trim(*given));
    if (name == "true" || name == "1" || name == "span_and_event") set(true, true);
    else if (name == "span_only") set(true, false);
    else if (name == "event_only") set(false, true);
    else if (name == "false" || name == "0" || name == "no_content") set(false, false);
    else context.Warn({}, kVariable, "expected true, false, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT or NO_CONTENT");
  }
  if (ReadBool(SectionOf(root, "litellm_settings"), "turn_off_message_logging").value_or(false)) set(false, false);
  out.content_in_spans = out.content_in_spans && out.traces.on;
  out.content_in_logs = out.content_in_logs && out.logs.on;
  out.capture_content = out.content_in_spans || out.content_in_logs;
}

}  // namespace

OtelSettings ReadOtelSettings(LoadContext& context, const yaml::Node& root, const std::vector<std::string>& callbacks) {
  OtelSettings out;
  // Without a collector too: the header of a client is passed on as it came.
  SetIf(ReadBool(SectionOf(root, "litellm_settings"), "forward_traceparent_to_llm_provider"), out.forward_traceparent);
  if (context.env.IsTrue("OTEL_SDK_DISABLED")) return out;
  const bool has_callback = std::find(callbacks.begin(), callbacks.end(), "otel") != callbacks.end();
  const bool has_endpoint = context.env.FirstOf("OTEL_EXPORTER_OTLP_ENDPOINT").has_value();
  const auto asks = [&](std::string_view variable) { return has_callback && context.env.IsTrue(variable); };
  OtelReader reader(context, has_callback);
  reader.ReadSignal(kTraces, has_callback || has_endpoint, out.traces);
  reader.ReadSignal(kMetrics, asks("LITELLM_OTEL_INTEGRATION_ENABLE_METRICS"), out.metrics);
  reader.ReadSignal(kLogs, asks("LITELLM_OTEL_INTEGRATION_ENABLE_EVENTS"), out.logs);
  out.genai_metrics = out.metrics.on && context.env.IsTrue("LITELLM_OTEL_INTEGRATION_ENABLE_METRICS");
  ReadResource(context, out);
  ReadSampler(context, out);
  ReadBatch(context, "OTEL_BSP", out.batch_delay_s, out.batch_items_max, out.queue_bytes_max);
  ReadBatch(context, "OTEL_BLRP", out.log_batch_delay_s, out.log_batch_items_max, out.log_queue_bytes_max);
  const auto interval = EnvNumber(context, "OTEL_METRIC_EXPORT_INTERVAL");
  if (interval && *interval > 0) out.metric_interval_s = std::clamp(*interval / 1000, 0.1, 86'400.0);
  const auto timeout = EnvNumber(context, "OTEL_METRIC_EXPORT_TIMEOUT");
  if (timeout && *timeout > 0) out.metrics.timeout_s = std::min(out.metrics.timeout_s, *timeout / 1000);
  ReadCapture(context, root, out);
  return out;
}

}  // namespace gw::config
