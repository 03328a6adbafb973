#include "telemetry/otlp_encode.h"

#include <array>

namespace gw::telemetry {
namespace {

struct SignalFields {
  OtlpField resources, scopes, elements;
};
constexpr std::array<SignalFields, 3> kSignals = {{
    {{1, "resourceSpans"}, {2, "scopeSpans"}, {2, "spans"}},
    {{1, "resourceMetrics"}, {2, "scopeMetrics"}, {2, "metrics"}},
    {{1, "resourceLogs"}, {2, "scopeLogs"}, {2, "logRecords"}},
}};
constexpr OtlpField kResource{1, "resource"}, kScope{1, "scope"}, kScopeName{1, "name"}, kScopeVersion{2, "version"},
    kResourceAttributes{1, "attributes"};
// Who made it.
constexpr std::string_view kWho = "intertie";

[[nodiscard]] const SignalFields& FieldsOf(OtlpSignal signal) { return kSignals[static_cast<size_t>(signal)]; }

}  // namespace

OtlpField ElementsField(OtlpSignal signal) { return FieldsOf(signal).elements; }

std::string EncodeResource(OtlpFormat format, const config::OtelSettings& settings, std::string_view instance_id) {
  Attributes attributes;
  const auto add = [&](std::string_view name, std::string_view value) {
    for (const Attribute& attribute : attributes) {
      if (attribute.name == name) return;
    }
    attributes.push_back({name, std::string(value)});
  };
  for (const auto& [name, value] : settings.resource) add(name, value);
  add("service.version", GW_VERSION);
  add("service.instance.id", instance_id);
  add("telemetry.sdk.name", kWho);
  add("telemetry.sdk.language", "cpp");
  add("telemetry.sdk.version", GW_VERSION);
  OtlpWriter resource(format);
  resource.List(EncodeAttributes(format, kResourceAttributes, attributes));
  return resource.Encoded();
}

std::string EncodeExport(OtlpSignal signal, OtlpFormat format, std::string_view resource, std::string_view elements) {
  const SignalFields& fields = FieldsOf(signal);
  OtlpWriter scope(format), scopes(format), resources(format), all(format);
  scope.String(kScopeName, kWho);
  scope.String(kScopeVersion, GW_VERSION);
  OtlpList inner(format, fields.elements), middle(format, fields.scopes), outer(format, fields.resources);
  inner.Append(elements);
  scopes.Message(kScope, scope);
  scopes.List(inner);
  middle.Add(scopes.Encoded());
  resources.Message(kResource, resource);
  resources.List(middle);
  outer.Add(resources.Encoded());
  all.List(outer);
  return all.Encoded();
}

}  // namespace gw::telemetry
