// What does a plain YAML scalar mean?
#include "config/yaml_resolver.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/strings.h"

namespace gw::config::yaml {
namespace {

// Longer integers are refused: Python prints no more than 4,300 digits, and no setting needs 400.
constexpr size_t kIntegerDigitsMax = 400;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsDigitOrBar(char c) { return IsDigit(c) || c == '_'; }
bool IsBoolWord(std::string_view t) {
  constexpr std::array<std::string_view, 18> kWords = {
      "yes",   "Yes",   "YES",   "no", "No", "NO", "true", "True", "TRUE",
      "false", "False", "FALSE", "on", "On", "ON", "off",  "Off",  "OFF"};
  return !t.empty() && std::find(kWords.begin(), kWords.end(), t) != kWords.end();
}

std::string_view DropSign(std::string_view t) {
  if (!t.empty() && (t[0] == '-' || t[0] == '+')) t.remove_prefix(1);
  return t;
}

template <typename Predicate>
size_t Run(std::string_view t, size_t at, Predicate is_member) {
  while (at < t.size() && is_member(t[at])) ++at;
  return at;
}

// (:[0-5]?[0-9])+ from `at`; returns the end, or npos when there is no such group. Backtracking is
// not needed: a group ends where ':' or '.' or the text's end must follow.
size_t SexagesimalGroups(std::string_view t, size_t at) {
  if (at >= t.size() || t[at] != ':') return std::string_view::npos;
  while (at < t.size() && t[at] == ':') {
    const size_t end = Run(t, at + 1, IsDigit);
    const size_t digits = end - at - 1;
    if (digits == 0 || digits > 2) return std::string_view::npos;
    if (digits == 2 && t[at + 1] > '5') return std::string_view::npos;
    at = end;
  }
  return at;
}

bool IsInt(std::string_view text) {
  const std::string_view t = DropSign(text);
  if (t.empty() || !IsDigit(t[0])) return false;
  if (t == "0") return true;
  if (t[0] == '0') {
    if (t.size() < 2) return false;
    if (t[1] == 'b') {
      return t.size() > 2 &&
             Run(t, 2, [](char c) { return c == '0' || c == '1' || c == '_'; }) == t.size();
    }
    if (t[1] == 'x') {
      const auto hex = [](char c) {
        const char l = AsciiLower(c);
        return IsDigitOrBar(c) || (l >= 'a' && l <= 'f');
      };
      return t.size() > 2 && Run(t, 2, hex) == t.size();
    }
    return Run(t, 1, [](char c) { return (c >= '0' && c <= '7') || c == '_'; }) == t.size();
  }
  const size_t end = Run(t, 1, IsDigitOrBar);
  return end == t.size() || SexagesimalGroups(t, end) == t.size();
}

// [eE][-+][0-9]+ or nothing, up to the end of the text.
bool IsExponentTail(std::string_view t, size_t at) {
  if (at == t.size()) return true;
  if (t[at] != 'e' && t[at] != 'E') return false;
  if (at + 2 >= t.size() || (t[at + 1] != '-' && t[at + 1] != '+')) return false;
  return Run(t, at + 2, IsDigit) == t.size();
}

bool IsFloat(std::string_view text) {
  const std::string_view t = DropSign(text);
  if (t.empty()) return false;
  if (t == ".inf" || t == ".Inf" || t == ".INF") return true;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (t[0] == '.') {
    // compat: ".5" is a number, "-.5" is a string.
    return text[0] == '.' && t.size() > 1 && IsDigit(t[1]) &&
           IsExponentTail(t, Run(t, 1, IsDigitOrBar));
  }
  if (!IsDigit(t[0])) return false;
  size_t at = Run(t, 1, IsDigitOrBar);
  if (at < t.size() && t[at] == ':') {
    at = SexagesimalGroups(t, at);
    return at != std::string_view::npos && at < t.size() && t[at] == '.' &&
           Run(t, at + 1, IsDigitOrBar) == t.size();
  }
  if (at >= t.size() || t[at] != '.') return false;
  return IsExponentTail(t, Run(t, at + 1, IsDigitOrBar));
}

std::string WithoutBars(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

// Decimal digits (most significant first) times `factor` plus `add`.
void MultiplyAdd(std::string& digits, unsigned factor, unsigned add) {
  unsigned carry = add;
  for (size_t i = digits.size(); i-- > 0;) {
    const unsigned value = static_cast<unsigned>(digits[i] - '0') * factor + carry;
    digits[i] = static_cast<char>('0' + value % 10);
    carry = value / 10;
  }
  for (; carry != 0; carry /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + carry % 10));
}

std::optional<unsigned> DigitValue(char c, unsigned base) {
  const char l = AsciiLower(c);
  unsigned value = 99;
  if (IsDigit(l)) value = static_cast<unsigned>(l - '0');
  if (l >= 'a' && l <= 'f') value = static_cast<unsigned>(l - 'a') + 10;
  if (value >= base) return std::nullopt;
  return value;
}

// `digits` in `base`, appended to the number in `out`; false when a digit does not fit.
bool ParseDigits(std::string_view digits, unsigned base, std::string& out) {
  if (digits.empty() || digits.size() > kIntegerDigitsMax) return false;
  out = "0";
  for (const char c : digits) {
    const auto value = DigitValue(c, base);
    if (!value) return false;
    MultiplyAdd(out, base, *value);
  }
  return true;
}

bool ParseSexagesimal(std::string_view text, std::string& out) {
  if (text.size() > kIntegerDigitsMax) return false;
  bool first = true;
  for (const std::string_view part : Split(text, ':')) {
    const auto value = ParseInt(part);
    if (first) {
      if (!ParseDigits(part, 10, out)) return false;
    } else {
      if (!value || *value < 0 || *value > 1000) return false;
      MultiplyAdd(out, 60, static_cast<unsigned>(*value));
    }
    first = false;
  }
  return true;
}

bool ConstructInt(std::string_view text, Node& node) {
  const std::string clean = WithoutBars(text);
  std::string_view t = clean;
  const bool negative = !t.empty() && t[0] == '-';
  t = DropSign(t);
  std::string digits;
  bool ok = false;
  if (t == "0") {
    digits = "0";
    ok = true;
  } else if (t.starts_with("0b")) {
    ok = ParseDigits(t.substr(2), 2, digits);
  } else if (t.starts_with("0x")) {
    ok = ParseDigits(t.substr(2), 16, digits);
  } else if (t.starts_with("0")) {
    // compat: "0o7" only gets here by an explicit !!int, and Python's int() takes it.
    ok = ParseDigits(t.starts_with("0o") ? t.substr(2) : t, 8, digits);
  } else if (t.find(':') != std::string_view::npos) {
    ok = ParseSexagesimal(t, digits);
  } else {
    ok = ParseDigits(t, 10, digits);
  }
  if (!ok) return false;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (negative && digits != "0") digits.insert(digits.begin(), '-');
  node.kind = Kind::kInt;
  node.real = ParseDouble(digits).value_or(std::numeric_limits<double>::infinity());
  if (const auto value = ParseInt(digits)) {
    node.integer = *value;
  } else {
    node.text = digits;
  }
  return true;
}

std::optional<double> FloatOf(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  if (text.empty() || !(IsDigit(text[0]) || text[0] == '.')) return std::nullopt;
  if (const auto value = ParseDouble(text)) return value;
  // Out of range: Python overflows to infinity and underflows to zero.
  if (Run(text, 0, [](char c) {
        return IsDigit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
      }) != text.size()) {
    return std::nullopt;
  }
  const size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos || e + 1 >= text.size()) return std::nullopt;
  const std::string_view mantissa = text.substr(0, e);
  if (text[e + 1] == '-' || mantissa.find_first_not_of("0.") == std::string_view::npos) return 0.0;
  return std::numeric_limits<double>::infinity();
}

bool ConstructFloat(std::string_view text, Node& node) {
  const std::string clean = ToLower(WithoutBars(text));
  std::string_view t = clean;
  const double sign = (!t.empty() && t[0] == '-') ? -1.0 : 1.0;
  t = DropSign(t);
  node.kind = Kind::kFloat;
  if (t == ".inf") {
    node.real = sign * std::numeric_limits<double>::infinity();
    return true;
  }
  if (t == ".nan") {
    node.real = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (t.find(':') != std::string_view::npos) {
    // Summed from the last part up, as Python does: the rounding is the same.
    std::vector<std::string_view> parts = Split(t, ':');
    double base = 1;
    double value = 0;
    for (size_t i = parts.size(); i-- > 0;) {
      const auto digit = FloatOf(parts[i]);
      if (!digit) return false;
      value += *digit * base;
      base *= 60;
    }
    node.real = sign * value;
    return true;
  }
  const auto value = FloatOf(t);
  if (!value) return false;
  node.real = sign * *value;
  return true;
}

}  // namespace

ScalarTag ResolvePlain(std::string_view t) {
  if (t.empty() || t == "~" || t == "null" || t == "Null" || t == "NULL") return ScalarTag::kNull;
  if (IsBoolWord(t)) return ScalarTag::kBool;
  if (IsFloat(t)) return ScalarTag::kFloat;
  if (IsInt(t)) return ScalarTag::kInt;
  if (t == "<<") return ScalarTag::kMerge;
  if (t == "=") return ScalarTag::kValue;
  return ScalarTag::kString;
}

std::optional<std::string> ConstructScalar(ScalarTag tag, std::string_view text, Node& node) {
  switch (tag) {
    case ScalarTag::kNull:
      node.kind = Kind::kNull;
      return std::nullopt;
    case ScalarTag::kBool: {
      const std::string lower = ToLower(text);
      if (!IsBoolWord(lower)) return "not a boolean: \"" + std::string(text) + "\"";
      node.kind = Kind::kBool;
      node.boolean = lower == "yes" || lower == "true" || lower == "on";
      return std::nullopt;
    }
    case ScalarTag::kInt:
      if (!ConstructInt(text, node)) return "not an integer: \"" + std::string(text) + "\"";
      return std::nullopt;
    case ScalarTag::kFloat:
      if (!ConstructFloat(text, node)) return "not a number: \"" + std::string(text) + "\"";
      return std::nullopt;
    case ScalarTag::kString:
      node.kind = Kind::kString;
      node.text = text;
      return std::nullopt;
    case ScalarTag::kMerge:
      return "\"<<\" merges a mapping and is no value; quote it";
    case ScalarTag::kValue:
      return "\"=\" is no value in YAML 1.1; quote it";
  }
  return "unknown tag";
}

}  // namespace gw::config::yaml
