#include "metrics/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/strings.h"

namespace gw::metrics {
namespace {

[[nodiscard]] std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Field `number` (1-based, proc(5)) of /proc/self/stat. The second one holds the program's name,
// which may contain spaces and brackets, so counting starts behind its last ')'.
[[nodiscard]] std::optional<double> StatField(size_t number) {
  const std::string stat = ReadFile("/proc/self/stat");
  const size_t close = stat.rfind(')');
  if (close == std::string::npos || close + 2 > stat.size()) return std::nullopt;
  const auto fields = Split(std::string_view(stat).substr(close + 2), ' ');
  if (number < 3 || number - 3 >= fields.size()) return std::nullopt;
  return ParseDouble(Trim(fields[number - 3]));
}

[[nodiscard]] double TicksPerSecond() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

[[nodiscard]] std::optional<double> BootTime() {
  const std::string stat = ReadFile("/proc/stat");
  for (const std::string_view line : Split(stat, '\n')) {
    if (line.starts_with("btime ")) return ParseDouble(Trim(line.substr(6)));
  }
  return std::nullopt;
}

[[nodiscard]] std::optional<double> CountOpenFds() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return std::nullopt;
  int count = -1;  // the directory itself is open while we count
  while (const dirent* entry = readdir(dir)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(dir);
  return count;
}

[[nodiscard]] std::optional<double> MaxFds() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

[[nodiscard]] std::optional<double> Plus(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return std::nullopt;
  return *a + *b;
}

[[nodiscard]] std::optional<double> Times(std::optional<double> a, double factor) {
  if (!a) return std::nullopt;
  return *a * factor;
}

}  // namespace

std::optional<double> ReadProcessMetric(ScrapeId id) {
  switch (id) {
    case ScrapeId::kVirtualMemory:
      return StatField(23);
    case ScrapeId::kResidentMemory:
      return Times(StatField(24), static_cast<double>(sysconf(_SC_PAGESIZE)));
    case ScrapeId::kStartTime:
      return Plus(Times(StatField(22), 1 / TicksPerSecond()), BootTime());
    case ScrapeId::kCpuSeconds:
      return Times(Plus(StatField(14), StatField(15)), 1 / TicksPerSecond());
    case ScrapeId::kOpenFds:
      return CountOpenFds();
    case ScrapeId::kMaxFds:
      return MaxFds();
    default:
      return std::nullopt;
  }
}

}  // namespace gw::metrics
