// Arguments and environment -> configuration -> server. Exit codes as the reference: 1 before the
// server starts, 3 when the configuration forbids the start, 2 for wrong usage.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/log.h"
#include "base/strings.h"
#include "config/loader.h"
#include "config/yaml_parser.h"
#include "gateway/server.h"

namespace {

using gw::config::Finding;
using gw::config::KeyStatus;
using gw::config::Severity;

std::optional<std::string> Environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

// Flags that were given; the others leave environment and defaults in force (the loader reads them).
struct Arguments {
  std::string config_file;
  std::optional<std::string> host, tls_cert_file, tls_key_file;
  std::optional<uint16_t> port, metrics_port;
  std::optional<int> num_workers;
  std::optional<double> keepalive_timeout_s;
  bool debug = false;
  bool detailed_debug = false;
  bool validate_only = false;
  std::string check_file;
  std::string dump_file;
  std::string ignored_text;
  bool ignored_flag = false;
};

void ApplyFlags(const Arguments& a, gw::config::Snapshot& snapshot) {
  gw::config::ServerOptions& server = snapshot.server;
  if (a.host) server.host = *a.host;
  if (a.port) server.port = *a.port;
  if (a.num_workers) server.num_workers = *a.num_workers;
  if (a.keepalive_timeout_s) server.keepalive_timeout_s = *a.keepalive_timeout_s;
  if (a.tls_cert_file) server.tls_cert_file = *a.tls_cert_file;
  if (a.tls_key_file) server.tls_key_file = *a.tls_key_file;
  if (a.metrics_port) snapshot.metrics.separate_port = *a.metrics_port;
}

// Flags of the reference that mean nothing here: accepted, so that start scripts keep working.
void AddIgnoredFlags(CLI::App& app, Arguments& arguments) {
  for (const char* name :
       {"--log_config", "--max_requests_before_restart", "--max_requests_before_restart_jitter",
        "--timeout_worker_healthcheck", "--granian_threads", "--limit_concurrency", "--ciphers", "--telemetry"}) {
    app.add_option(name, arguments.ignored_text, "accepted, no effect")->group("");
  }
  for (const char* name :
       {"--run_gunicorn", "--run_hypercorn", "--run_granian", "--use_queue", "--local", "--reload",
        "--use_prisma_db_push", "--skip_server_startup", "--iam_token_db_auth", "--azure_postgresql_auth",
        "--enforce_prisma_migration_check", "--use_v2_migration_resolver"}) {
    app.add_flag(name, arguments.ignored_flag, "accepted, no effect")->group("");
  }
}

void AddOptions(CLI::App& app, Arguments& a) {
  app.add_option("-c,--config", a.config_file, "configuration file (LiteLLM's config.yaml)")->envname("CONFIG_FILE_PATH");
  app.add_option("--host", a.host, "address to listen on (HOST; 0.0.0.0)");
  app.add_option("--port", a.port, "port to listen on (PORT; 4000)");
  app.add_option("--num_workers", a.num_workers, "event-loop threads (NUM_WORKERS; one per usable core)")
      ->check(CLI::Range(0, 1024));
  app.add_option("--keepalive_timeout", a.keepalive_timeout_s,
                 "seconds an idle client connection is kept (KEEPALIVE_TIMEOUT; 75)");
  app.add_option("--ssl_certfile_path", a.tls_cert_file, "certificate: serve HTTPS (SSL_CERTFILE_PATH)");
  app.add_option("--ssl_keyfile_path", a.tls_key_file, "its private key (SSL_KEYFILE_PATH)");
  app.add_option("--prometheus_metrics_port", a.metrics_port,
                 "a second listener for /metrics (PROMETHEUS_METRICS_PORT)");
  app.add_flag("--debug", a.debug, "log more")->envname("DEBUG");
  app.add_flag("--detailed_debug", a.detailed_debug, "log much more")->envname("DETAILED_DEBUG");
  app.add_flag("--validate_config", a.validate_only, "check the configuration and exit");
  app.set_version_flag("-v,--version", "intertie " GW_VERSION " (speaks LiteLLM 1.109.1)");
  AddIgnoredFlags(app, a);
  CLI::App* check = app.add_subcommand("check", "print every finding about a configuration file and exit");
  check->add_option("file", a.check_file, "the file")->required();
  CLI::App* dump = app.add_subcommand("yaml-dump", "print a YAML file as JSON, as it is understood");
  dump->group("");
  dump->add_option("file", a.dump_file, "the file")->required();
}

gw::config::LoadOptions LoadOptionsFor(const Arguments& arguments, const std::string& file) {
  gw::config::LoadOptions options;
  options.config_file = file;
  options.env = &Environment;
  options.apply_flags = [&arguments](gw::config::Snapshot& snapshot) { ApplyFlags(arguments, snapshot); };
  if (const auto map = Environment("LITELLM_MODEL_COST_MAP_URL")) options.price_map_file = *map;
  options.read_dotenv = Environment("LITELLM_MODE").value_or("") != "PRODUCTION";
  return options;
}

int Check(const Arguments& arguments, const std::string& file, bool all_keys) {
  const gw::config::Loaded loaded = gw::config::Load(LoadOptionsFor(arguments, file));
  std::fputs(gw::config::FormatFindings(loaded.findings, all_keys).c_str(), stdout);
  if (loaded.snapshot == nullptr) return 1;
  for (const Finding& finding : loaded.findings) {
    if (finding.severity == Severity::kError) return 1;
  }
  return 0;
}

int DumpYaml(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  std::fputs((gw::config::yaml::DumpYamlAsJson(text.str()) + "\n").c_str(), stdout);
  return 0;
}

gw::log::Level LogLevel(const Arguments& arguments, bool verbose) {
  if (arguments.debug || arguments.detailed_debug || verbose) return gw::log::Level::kDebug;
  const std::string level = Environment("LITELLM_LOG").value_or("INFO");
  if (gw::EqualsIgnoreCase(level, "DEBUG")) return gw::log::Level::kDebug;
  if (gw::EqualsIgnoreCase(level, "WARNING")) return gw::log::Level::kWarning;
  if (gw::EqualsIgnoreCase(level, "ERROR")) return gw::log::Level::kError;
  return gw::log::Level::kInfo;
}

void LogFindings(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kInfo) continue;
    const std::string place = finding.line > 0 ? finding.file + ":" + std::to_string(finding.line) : finding.file;
    const std::string text = (finding.path.empty() ? "" : finding.path + ": ") + finding.message;
    gw::log::Write(finding.severity == Severity::kError ? gw::log::Level::kError : gw::log::Level::kWarning, text,
                   {{"at", place}});
  }
}

int Serve(const Arguments& arguments) {
  const gw::config::Loaded loaded = gw::config::Load(LoadOptionsFor(arguments, arguments.config_file));
  gw::log::Options log_options;
  const bool verbose = loaded.snapshot && loaded.snapshot->proxy.set_verbose;
  log_options.json = (loaded.snapshot && loaded.snapshot->proxy.json_logs) ||
                     gw::EqualsIgnoreCase(Environment("JSON_LOGS").value_or(""), "true");
  log_options.level = LogLevel(arguments, verbose);
  gw::log::Init(log_options);
  LogFindings(loaded.findings);
  if (loaded.snapshot == nullptr) {
    gw::log::Error("the configuration does not allow a start");
    gw::log::Shutdown();
    return loaded.exit_code != 0 ? loaded.exit_code : 3;
  }
  auto server = gw::gateway::Server::Create(
      loaded, [&arguments] { return gw::config::Load(LoadOptionsFor(arguments, arguments.config_file)); });
  if (!server.ok()) {
    gw::log::Error(server.error().message);
    gw::log::Shutdown();
    return 1;
  }
  const int code = server.value()->Run();
  server.value().reset();
  gw::log::Shutdown();
  return code;
}

// Signals are taken by the main thread with sigwait; every other thread inherits the block.
void BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Intertie: the native gateway in front of vLLM, Ollama and OpenAI"};
  AddOptions(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!arguments.check_file.empty()) return Check(arguments, arguments.check_file, true);
  if (!arguments.dump_file.empty()) return DumpYaml(arguments.dump_file);
  if (arguments.validate_only) return Check(arguments, arguments.config_file, false);
  BlockSignals();
  return Serve(arguments);
}
