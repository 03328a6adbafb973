// Findings and schema as text for people: `intertie check` and docs/config-reference.md.
#include <fmt/format.h>

#include "config/loader.h"
#include "config/schema.h"

namespace gw::config {
namespace {

std::string_view StatusWord(KeyStatus status) {
  switch (status) {
    case KeyStatus::kEffective:
      return "effective";
    case KeyStatus::kIgnored:
      return "ignored";
    case KeyStatus::kNotSupportedYet:
      return "not supported yet";
    case KeyStatus::kUnknown:
      return "unknown";
  }
  return "";
}

std::string_view Label(const Finding& finding) {
  if (finding.severity == Severity::kError) return "error";
  if (finding.severity == Severity::kWarning && finding.status == KeyStatus::kEffective) {
    return "warning";
  }
  return StatusWord(finding.status);
}

void AppendFinding(std::string& out, const Finding& finding) {
  if (!finding.file.empty()) out += finding.file;
  if (finding.line > 0) out += ":" + std::to_string(finding.line);
  if (!out.empty() && out.back() != '\n') out += ": ";
  out += fmt::format("[{}] ", Label(finding));
  if (!finding.path.empty()) out += finding.path + ": ";
  out += finding.message + "\n";
}

// '|' and '*' would end or format a table cell.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '<' || c == '_') out += '\\';
    out += c;
  }
  return out;
}

void AppendTable(std::string& out, std::string_view title, std::string_view intro,
                 Section section) {
  out += fmt::format("\n## {}\n\n{}\n\n", title, intro);
  out += "| Key | Type | Default | Status | Meaning |\n|---|---|---|---|---|\n";
  for (const KeySpec& row : SchemaOf(section)) {
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.key, TypeName(row.type),
                       Cell(row.default_value), StatusWord(row.status), Cell(row.doc));
  }
}

}  // namespace

std::string FormatFindings(const std::vector<Finding>& findings, bool all_keys) {
  std::string out;
  for (const Finding& finding : findings) {
    if (!all_keys && finding.severity == Severity::kInfo) continue;
    AppendFinding(out, finding);
  }
  return out;
}

std::string ConfigReferenceMarkdown() {
  std::string out =
      "# Configuration reference\n\n"
      "Generated from the schema table in `src/config`; do not edit. `intertie check FILE` prints "
      "the same words for each key of a file, with its line.\n\n"
      "- **effective**: does what it says.\n"
      "- **ignored**: accepted, has no effect here, and nothing is lost by that.\n"
      "- **not supported yet**: accepted with a warning at start.\n\n"
      "A value `os.environ/NAME` is replaced by the environment variable. Numbers and booleans may "
      "be written as text. `*` stands for any text.\n";
  AppendTable(out, "Top level", "Sections of the file.", Section::kTop);
  AppendTable(out, "model_list rows", "One row is one deployment.", Section::kModelRow);
  AppendTable(out, "litellm_params", "How a deployment is called.", Section::kLitellmParams);
  AppendTable(out, "litellm_params: request parameters",
              "These, and every key that is not listed anywhere, become members of the upstream "
              "body unless the client sends its own value.",
              Section::kRequestParams);
  AppendTable(out, "model_info", "What is known about a deployment.", Section::kModelInfo);
  AppendTable(out, "credential_list rows", "Values that several rows share.", Section::kCredential);
  AppendTable(out, "litellm_settings", "Unknown keys are reported.", Section::kLitellmSettings);
  AppendTable(out, "litellm_settings.cache_params", "The response cache; read when cache is true.",
              Section::kCacheParams);
  AppendTable(out, "router_settings", "Unknown keys are reported.", Section::kRouterSettings);
  AppendTable(out, "router_settings.retry_policy", "Also inside model_group_retry_policy.",
              Section::kRetryPolicy);
  AppendTable(out, "router_settings.allowed_fails_policy", "Failures before a cooldown.",
              Section::kAllowedFailsPolicy);
  AppendTable(out, "general_settings", "Unknown keys are reported.", Section::kGeneralSettings);
  AppendTable(out, "Environment variables",
              "Order: `environment_variables` of the file, the process, `.env`.",
              Section::kEnvironment);
  out += "\n## Providers\n\n";
  out +=
      "The first part of `litellm_params.model`. The variables are used when the row gives no "
      "`api_base` or `api_key`.\n\n";
  out +=
      "| Provider | Address | Variable of the address | Variable of the key |\n|---|---|---|---|\n";
  for (const ProviderRow& row : AllProviders()) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", row.name,
                       row.default_base.empty() ? "required" : Cell(row.default_base),
                       Cell(row.base_env), Cell(row.key_env));
  }
  return out;
}

}  // namespace gw::config
