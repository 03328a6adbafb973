// Every file of tests/golden/config against what loading it says: exit code, deployments, settings
// and warnings. GW_UPDATE_GOLDEN=1 writes the expectations anew; read the difference before commit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/json_tree.h"
#include "config/document.h"
#include "config/loader.h"

namespace gw::config {
namespace {

namespace fs = std::filesystem;

std::string Folder() { return std::string(GW_SOURCE_DIR) + "/tests/golden/config"; }

std::optional<std::string> GoldenEnvironment(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> kVariables = {
      {"LITELLM_MASTER_KEY", "sk-golden"},
      {"VLLM_KEY", "secret-of-the-environment"},
      {"XINFERENCE_API_BASE", "http://xinference:9997/v1"},
  };
  const auto found = kVariables.find(name);
  if (found == kVariables.end()) return std::nullopt;
  return found->second;
}

template <typename T>
void Optional(std::string& out, std::string_view name, const std::optional<T>& value) {
  if (value) out += " " + std::string(name) + "=" + json::Serialize(json::Value(*value));
}

void Describe(std::string& out, const Deployment& d) {
  out += d.model_name + ": " + d.provider + " " + d.upstream_model;
  out += d.origin.tls ? " https " : " http ";
  out += d.origin.host_header + " " + d.origin.base_path;
  out += " id=" + (d.id.size() == 64 ? std::string("hash") : d.id);
  if (!d.api_key.empty()) out += " key";
  if (!d.organization.empty()) out += " organization=" + d.organization;
  Optional(out, "timeout", d.timeout_s);
  Optional(out, "stream_timeout", d.stream_timeout_s);
  Optional(out, "num_retries", d.num_retries);
  Optional(out, "rpm", d.rpm);
  Optional(out, "tpm", d.tpm);
  Optional(out, "parallel", d.max_parallel_requests);
  Optional(out, "weight", d.weight);
  Optional(out, "order", d.order);
  Optional(out, "cooldown", d.cooldown_time_s);
  Optional(out, "drop_params", d.drop_params);
  Optional(out, "input_price", d.price.input_cost_per_token);
  for (const std::string& tag : d.tags) out += " tag=" + tag;
  for (const auto& [name, value] : d.extra_headers) out += " header=" + name;
  if (!d.tls_verify) out += " no-verify";
  if (d.blocked) out += " blocked";
  if (!d.mode.empty()) out += " mode=" + d.mode;
  if (d.facts != nullptr) out += " facts=" + d.facts->name;
  out += "\n  defaults " + json::Serialize(d.default_params);
  json::Object shown = d.shown_params;
  for (const char* key : {"allow_client_keepalive_override", "merge_reasoning_content_in_choices",
                          "use_in_pass_through", "use_litellm_proxy", "use_xai_oauth"}) {
    shown.erase(key);
  }
  out += "\n  shown " + json::Serialize(shown) + "\n";
}

void Describe(std::string& out, const std::vector<FallbackList>& lists, std::string_view name) {
  for (const FallbackList& list : lists) {
    out += std::string(name) + " " + list.group + " ->";
    for (const FallbackTarget& target : list.targets) {
      out += " " + target.model;
      if (!target.overrides.empty()) out += json::Serialize(target.overrides);
    }
    out += "\n";
  }
}

std::string Describe(const Loaded& loaded) {
  std::string out = "exit " + std::to_string(loaded.exit_code) + "\n";
  if (loaded.snapshot != nullptr) {
    const Snapshot& s = *loaded.snapshot;
    for (const Deployment& deployment : s.deployments) Describe(out, deployment);
    out += "num_retries " + std::to_string(s.router.num_retries);
    if (s.metrics.enabled) out += s.metrics.require_auth ? ", metrics closed" : ", metrics open";
    if (s.proxy.drop_params) out += ", drop_params";
    if (s.proxy.json_logs) out += ", json_logs";
    for (const double bound : s.metrics.latency_buckets) out += ", bucket " + std::to_string(bound);
    out += "\n";
    Describe(out, s.router.fallbacks, "fallback");
    Describe(out, s.router.context_window_fallbacks, "context_window");
    for (const ModelAlias& alias : s.router.aliases) {
      out += "alias " + alias.alias + " -> " + alias.model + (alias.hidden ? " (hidden)\n" : "\n");
    }
  }
  out += "--\n" + FormatFindings(loaded.findings, false);
  const std::string prefix = Folder() + "/";
  for (size_t at = out.find(prefix); at != std::string::npos; at = out.find(prefix)) {
    out.erase(at, prefix.size());
  }
  return out;
}

TEST(LoaderGolden, EachFileLoadsAsExpected) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(Folder())) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++files;
    LoadOptions options;
    options.config_file = entry.path().string();
    options.env = GoldenEnvironment;
    options.read_dotenv = false;
    const std::string actual = Describe(Load(options));
    fs::path expected = entry.path();
    expected.replace_extension(".expected");
    if (std::getenv("GW_UPDATE_GOLDEN") != nullptr) {
      std::ofstream(expected) << actual;
      continue;
    }
    EXPECT_EQ(ReadFile(expected.string()).value_or("(no file)"), actual);
    EXPECT_THAT(actual, testing::Not(testing::HasSubstr("secret-of-the-environment")));
    EXPECT_THAT(actual, testing::Not(testing::HasSubstr("not-for-the-log")));
    EXPECT_THAT(actual, testing::Not(testing::HasSubstr("sk-hidden")));
  }
  EXPECT_GT(files, 30);
}

}  // namespace
}  // namespace gw::config
