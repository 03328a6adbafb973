// Log lines: text for people, JSON lines when `json_logs` is on. Asynchronous: a caller never waits
// for the disk; when the queue is full the oldest line goes and a counter says so.
// Secrets never pass through here: callers log names and ids, not keys, headers or bodies.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gw::log {

enum class Level { kDebug, kInfo, kWarning, kError };

struct Field {
  std::string_view key;
  std::string value;
};

struct Options {
  Level level = Level::kInfo;
  bool json = false;
};

void Init(const Options& options);  // once, before the threads start
void Shutdown();                    // flushes
[[nodiscard]] bool Enabled(Level level);
void Write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void Debug(std::string_view m, std::initializer_list<Field> f = {}) { Write(Level::kDebug, m, f); }
inline void Info(std::string_view m, std::initializer_list<Field> f = {}) { Write(Level::kInfo, m, f); }
inline void Warn(std::string_view m, std::initializer_list<Field> f = {}) { Write(Level::kWarning, m, f); }
inline void Error(std::string_view m, std::initializer_list<Field> f = {}) { Write(Level::kError, m, f); }

}  // namespace gw::log
