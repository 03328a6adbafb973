// How is a document walked, printed and turned into JSON?
#include "config/yaml_node.h"

#include <cmath>

#include "base/json.h"
#include "base/strings.h"

namespace gw::config::yaml {

const Node* Node::Find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key.IsString() ? member.key.text == key : KeyText(member.key) == key) {
      return &member.value;
    }
  }
  return nullptr;
}

Node* Node::Find(std::string_view key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->Find(key));
}

void Node::Set(std::string_view key, Node value) {
  if (Node* present = Find(key)) {
    *present = std::move(value);
    return;
  }
  kind = Kind::kMapping;
  Member member;
  member.key = MakeString(key);
  member.key.place = value.place;
  member.value = std::move(value);
  members.push_back(std::move(member));
}

Node MakeString(std::string_view text) {
  Node node;
  node.kind = Kind::kString;
  node.text = text;
  return node;
}

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "boolean";
    case Kind::kInt:
      return "integer";
    case Kind::kFloat:
      return "number";
    case Kind::kString:
      return "string";
    case Kind::kSequence:
      return "list";
    case Kind::kMapping:
      return "mapping";
  }
  return "value";
}

namespace {

std::string FloatText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return PythonFloat(value);
}

std::string IntText(const Node& node) {
  return node.text.empty() ? std::to_string(node.integer) : node.text;
}

}  // namespace

std::string KeyText(const Node& key) {
  switch (key.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return key.boolean ? "true" : "false";
    case Kind::kInt:
      return IntText(key);
    case Kind::kFloat:
      return FloatText(key.real);
    default:
      return key.text;
  }
}

void AppendJson(std::string& out, const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kBool:
      out += node.boolean ? "true" : "false";
      return;
    case Kind::kInt:
      out += IntText(node);
      return;
    case Kind::kFloat:
      out += FloatText(node.real);
      return;
    case Kind::kString:
      json::AppendQuoted(out, node.text);
      return;
    case Kind::kSequence: {
      out += '[';
      for (size_t i = 0; i < node.items.size(); ++i) {
        if (i != 0) out += ',';
        AppendJson(out, node.items[i]);
      }
      out += ']';
      return;
    }
    case Kind::kMapping: {
      out += '{';
      for (size_t i = 0; i < node.members.size(); ++i) {
        if (i != 0) out += ',';
        json::AppendQuoted(out, KeyText(node.members[i].key));
        out += ':';
        AppendJson(out, node.members[i].value);
      }
      out += '}';
      return;
    }
  }
}

json::Value ToJson(const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return nullptr;
    case Kind::kBool:
      return node.boolean;
    case Kind::kInt:
      if (!node.text.empty()) return node.real;
      return node.integer;
    case Kind::kFloat:
      if (!std::isfinite(node.real)) return nullptr;
      return node.real;
    case Kind::kString:
      return boost::json::string(node.text);
    case Kind::kSequence: {
      json::Array array;
      array.reserve(node.items.size());
      for (const Node& item : node.items) array.push_back(ToJson(item));
      return array;
    }
    case Kind::kMapping: {
      json::Object object;
      for (const Member& member : node.members) {
        object[KeyText(member.key)] = ToJson(member.value);
      }
      return object;
    }
  }
  return nullptr;
}

}  // namespace gw::config::yaml
