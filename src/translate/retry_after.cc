#include "translate/retry_after.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/strings.h"

namespace gw::translate {

namespace {

constexpr int kSecondsMax = 366 * 24 * 3600;

constexpr auto kMonths = std::to_array<std::string_view>(
    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});

// Days since 1970-01-01 of a date of the Gregorian calendar.
int64_t DaysFromDate(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  const int64_t era = year / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

// "Wed, 21 Oct 2015 07:28:00 GMT" as Unix seconds.
std::optional<int64_t> ParseHttpDate(std::string_view text) {
  const std::vector<std::string_view> words = Split(text, ' ');
  if (words.size() != 6 || words[5] != "GMT" || words[4].size() != 8) return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), words[2]);
  const auto day = ParseInt(words[1]);
  const auto year = ParseInt(words[3]);
  const auto hour = ParseInt(words[4].substr(0, 2));
  const auto minute = ParseInt(words[4].substr(3, 2));
  const auto second = ParseInt(words[4].substr(6, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  if (*day < 1 || *day > 31 || *year < 1970 || *year > 9999) return std::nullopt;
  const int64_t days = DaysFromDate(*year, month - kMonths.begin() + 1, *day);
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

std::string_view FindHeader(const HeaderList& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return Trim(value);
  }
  return {};
}

int Bounded(double seconds) {
  if (!(seconds > 0)) return 0;
  return seconds >= kSecondsMax ? kSecondsMax : static_cast<int>(std::ceil(seconds));
}

}  // namespace

int RetryAfterSeconds(const HeaderList& headers) {
  const std::string_view value = FindHeader(headers, "retry-after");
  if (value.empty()) return -1;
  if (const auto seconds = ParseDouble(value)) {
    return std::isnan(*seconds) || *seconds < 0 ? -1 : Bounded(*seconds);
  }
  const auto until = ParseHttpDate(value);
  const auto now = ParseHttpDate(FindHeader(headers, "date"));
  if (!until || !now) return -1;
  return Bounded(static_cast<double>(*until - *now));
}

}  // namespace gw::translate
