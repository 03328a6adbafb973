// Which exposition does an Accept header get?
//
// compat: parts count in written order, q is ignored (metrics facts 1.2). Plain text/plain and
// everything unknown are passed over; when no part decides, the answer is text 0.0.4.
#include <string>
#include <string_view>

#include "base/strings.h"
#include "metrics/registry.h"

namespace gw::metrics {
namespace {

[[nodiscard]] std::string_view Parameter(std::string_view part, std::string_view name) {
  for (const std::string_view token : Split(part, ';')) {
    const std::string_view text = Trim(token);
    if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=') {
      return Trim(text.substr(name.size() + 1));
    }
  }
  return {};
}

// True for digits and dots with a major number of at least 1. The value is echoed in a header.
[[nodiscard]] bool IsVersionOneOrLater(std::string_view version) {
  if (version.find_first_not_of("0123456789.") != std::string_view::npos) return false;
  return ParseInt(version.substr(0, version.find('.'))).value_or(0) >= 1;
}

void AppendEscaping(std::string& out, std::string_view part) {
  const std::string_view asked = Parameter(part, "escaping");
  const bool is_known = asked == "allow-utf-8" || asked == "dots" || asked == "values";
  out += "; escaping=";
  out += is_known ? asked : "underscores";
}

// The one form of protobuf that Prometheus asks for.
[[nodiscard]] bool IsDelimitedProtobuf(std::string_view media_type, std::string_view part) {
  return media_type == "application/vnd.google.protobuf" &&
         Parameter(part, "proto") == "io.prometheus.client.MetricFamily" && Parameter(part, "encoding") == "delimited";
}

// False when `part` does not decide; then `out` is unchanged.
[[nodiscard]] bool Decide(std::string_view part, NegotiatedFormat& out) {
  const std::string_view media_type = Trim(part.substr(0, part.find(';')));
  const std::string_view version = Parameter(part, "version");
  const bool is_one_or_later = !version.empty() && IsVersionOneOrLater(version);
  if (media_type == "text/plain" && is_one_or_later) {
    out.format = ExpositionFormat::kText100;
    out.content_type = "text/plain; version=1.0.0; charset=utf-8";
    AppendEscaping(out.content_type, part);
    return true;
  }
  if (IsDelimitedProtobuf(media_type, part)) {
    out.format = ExpositionFormat::kProtobuf;
    out.content_type =
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    return true;
  }
  if (media_type != "application/openmetrics-text") return false;
  if (!version.empty() && !is_one_or_later) return false;
  out.format = ExpositionFormat::kOpenMetrics;
  out.content_type = "application/openmetrics-text; version=";
  out.content_type += version.empty() ? "1.0.0" : version;
  out.content_type += "; charset=utf-8";
  // compat: whoever names no version is not told an escaping either.
  if (!version.empty()) AppendEscaping(out.content_type, part);
  return true;
}

}  // namespace

NegotiatedFormat Negotiate(std::string_view accept) {
  NegotiatedFormat format{ExpositionFormat::kText004, "text/plain; version=0.0.4; charset=utf-8"};
  for (const std::string_view part : Split(accept, ',')) {
    if (Decide(part, format)) break;
  }
  return format;
}

}  // namespace gw::metrics
