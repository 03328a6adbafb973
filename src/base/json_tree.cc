#include "base/json_tree.h"

// The one translation unit that carries Boost.JSON's source.
#include <boost/json/src.hpp>

#include "base/json.h"

namespace gw::json {

std::optional<Value> ParseTree(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::system::error_code error;
  Value value = boost::json::parse(boost::json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return std::nullopt;
  return value;
}

std::string Serialize(const Value& value) { return boost::json::serialize(value); }

const Value* Get(const Object& object, std::string_view key) {
  return object.if_contains(boost::json::string_view(key.data(), key.size()));
}

const Object* GetObject(const Object& object, std::string_view key) {
  const Value* value = Get(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

const Array* GetArray(const Object& object, std::string_view key) {
  const Value* value = Get(object, key);
  return value == nullptr ? nullptr : value->if_array();
}

std::string_view GetString(const Object& object, std::string_view key) {
  const Value* value = Get(object, key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

int64_t GetInt(const Object& object, std::string_view key, int64_t fallback) {
  const Value* value = Get(object, key);
  if (value == nullptr) return fallback;
  const auto number = AsNumber(*value);
  if (!number || *number > 9e15 || *number < -9e15) return fallback;
  return static_cast<int64_t>(*number);
}

bool IsTrue(const Object& object, std::string_view key) {
  const Value* value = Get(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<std::string> StringsOf(const Value& value) {
  std::vector<std::string> out;
  if (!value.is_array()) return out;
  for (const Value& item : value.get_array()) {
    if (item.is_string()) out.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return out;
}

std::optional<double> AsNumber(const Value& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_double()) return value.get_double();
  return std::nullopt;
}

}  // namespace gw::json
