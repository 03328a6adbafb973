// JSON as a tree (Boost.JSON), for the cold paths: config, admin answers, dialect translation.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gw::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

// nullopt when the text is not JSON or deeper than kMaxJsonDepth.
[[nodiscard]] std::optional<Value> ParseTree(std::string_view text);
[[nodiscard]] std::string Serialize(const Value& value);

// nullptr when absent (or `object` is not an object).
[[nodiscard]] const Value* Get(const Object& object, std::string_view key);
// nullptr also when it is of another kind.
[[nodiscard]] const Object* GetObject(const Object& object, std::string_view key);
[[nodiscard]] const Array* GetArray(const Object& object, std::string_view key);
[[nodiscard]] std::string_view GetString(const Object& object, std::string_view key);
[[nodiscard]] int64_t GetInt(const Object& object, std::string_view key, int64_t fallback);
[[nodiscard]] bool IsTrue(const Object& object, std::string_view key);
// The strings of an array; other elements are skipped, and anything but an array has none.
[[nodiscard]] std::vector<std::string> StringsOf(const Value& value);
// Any number kind as double.
[[nodiscard]] std::optional<double> AsNumber(const Value& value);

}  // namespace gw::json
