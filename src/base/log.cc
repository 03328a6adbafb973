// The only translation unit that knows the logging library.
#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

#include "base/json.h"

namespace gw::log {

namespace {

constexpr size_t kQueueLines = 8192;

Options g_options;
std::shared_ptr<spdlog::logger> g_logger;

spdlog::level::level_enum Native(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string JsonLine(std::string_view message, std::initializer_list<Field> fields) {
  std::string line = ",\"message\":";
  json::AppendQuoted(line, message);
  for (const Field& field : fields) {
    line += ',';
    json::AppendQuoted(line, field.key);
    line += ':';
    json::AppendQuoted(line, field.value);
  }
  line += '}';
  return line;
}

std::string TextLine(std::string_view message, std::initializer_list<Field> fields) {
  std::string line(message);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (field.value.find_first_of(" \"\n") == std::string::npos) {
      line += field.value;
    } else {
      json::AppendQuoted(line, field.value);
    }
  }
  return line;
}

}  // namespace

void Init(const Options& options) {
  g_options = options;
  spdlog::init_thread_pool(kQueueLines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  g_logger = std::make_shared<spdlog::async_logger>("intertie", sink, spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
  g_logger->set_level(Native(options.level));
  g_logger->flush_on(spdlog::level::info);
  g_logger->set_pattern(options.json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%e%z\",\"level\":\"%l\"%v"
                                     : "%Y-%m-%d %H:%M:%S.%e %-7l %v");
}

void Shutdown() {
  if (!g_logger) return;
  g_logger->flush();
  spdlog::shutdown();  // joins the writer, which holds the logger
  g_logger.reset();
}

bool Enabled(Level level) { return g_logger && g_logger->should_log(Native(level)); }

void Write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!g_logger) {
    if (level >= Level::kWarning) std::fprintf(stderr, "%s\n", TextLine(message, fields).c_str());
    return;
  }
  if (!Enabled(level)) return;
  const std::string line = g_options.json ? JsonLine(message, fields) : TextLine(message, fields);
  g_logger->log(Native(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace gw::log
