// What does a YAML text say?
#include "config/yaml_parser.h"

#include <yaml.h>

#include <unordered_map>
#include <unordered_set>

#include "config/yaml_resolver.h"

namespace gw::config::yaml {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

size_t CountNodes(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items) count += CountNodes(item);
  for (const Member& member : node.members) count += 1 + CountNodes(member.value);
  return count;
}

// Python's dict takes 1, 1.0 and true for the same key; a string never equals a number.
std::string HashText(const Node& key) {
  switch (key.kind) {
    case Kind::kBool:
      return key.boolean ? "n1" : "n0";
    case Kind::kInt:
      return "n" + (key.text.empty() ? std::to_string(key.integer) : key.text);
    case Kind::kFloat:
      if (key.real > -9e15 && key.real < 9e15) {
        const auto whole = static_cast<int64_t>(key.real);
        if (static_cast<double>(whole) == key.real) return "n" + std::to_string(whole);
      }
      return "n" + KeyText(key);
    case Kind::kNull:
      return "z";
    default:
      return "s" + key.text;
  }
}

// Owns one libyaml event.
class Event {
 public:
  Event() = default;
  ~Event() { Clear(); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void Clear() {
    if (filled_) yaml_event_delete(&raw_);
    filled_ = false;
  }
  bool Read(yaml_parser_t* parser) {
    Clear();
    filled_ = yaml_parser_parse(parser, &raw_) != 0;
    return filled_;
  }
  [[nodiscard]] const yaml_event_t& raw() const { return raw_; }

 private:
  yaml_event_t raw_{};
  bool filled_ = false;
};

// Key and value of a mapping under construction.
struct Pair {
  Member member;
  bool is_own = true;  // false: came by a merge key
};

class Builder {
 public:
  Builder(std::string_view text, int file) : file_(file) {
    ready_ = yaml_parser_initialize(&parser_) != 0;
    if (!ready_) return;
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Builder() {
    event_.Clear();
    if (ready_) yaml_parser_delete(&parser_);
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  Parsed Run() {
    if (!ready_) {
      Fail("out of memory", Place{});
    } else {
      ParseStream();
    }
    return std::move(parsed_);
  }

 private:
  bool Fail(std::string message, Place place) {
    if (!parsed_.error) parsed_.error = Problem{std::move(message), place};
    return false;
  }

  [[nodiscard]] Place PlaceOf(const yaml_mark_t& mark) const {
    return {file_, static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  }
  [[nodiscard]] Place Here() const { return PlaceOf(event_.raw().start_mark); }

  bool Next() {
    if (event_.Read(&parser_)) return true;
    std::string message = parser_.problem == nullptr ? "cannot be read" : parser_.problem;
    if (parser_.context != nullptr) message += std::string(" (") + parser_.context + ")";
    const bool is_reader = parser_.error == YAML_READER_ERROR;
    return Fail(std::move(message), PlaceOf(is_reader ? parser_.mark : parser_.problem_mark));
  }

  void ParseStream() {
    if (!Next() || !Next()) return;  // stream start, first document
    if (event_.raw().type == YAML_STREAM_END_EVENT) return;
    if (!Next() || !ParseNode(parsed_.root, 0)) return;
    if (!Next() || !Next()) return;  // document end, stream end
    if (event_.raw().type != YAML_STREAM_END_EVENT) {
      Fail("expected a single document, but found another one", Here());
    }
  }

  // The current event begins the node; afterwards it is the node's last event.
  bool ParseNode(Node& node, int depth) {
    if (depth > kDepthMax) return Fail("nested too deeply", Here());
    node.place = Here();
    switch (event_.raw().type) {
      case YAML_ALIAS_EVENT:
        return ParseAlias(node);
      case YAML_SCALAR_EVENT:
        return ParseAnchored(node, depth, View(event_.raw().data.scalar.anchor));
      case YAML_SEQUENCE_START_EVENT:
        return ParseAnchored(node, depth, View(event_.raw().data.sequence_start.anchor));
      case YAML_MAPPING_START_EVENT:
        return ParseAnchored(node, depth, View(event_.raw().data.mapping_start.anchor));
      default:
        return Fail("unexpected structure", Here());
    }
  }

  bool ParseAlias(Node& node) {
    const std::string name(View(event_.raw().data.alias.anchor));
    const Place place = node.place;
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return Fail(open_anchors_.contains(name) ? "alias *" + name + " is inside its own anchor"
                                               : "undefined alias *" + name,
                  place);
    }
    if (!TakeCopies(found->second, place)) return false;
    node = found->second;
    return true;
  }

  bool TakeCopies(const Node& node, Place place) {
    copied_ += CountNodes(node);
    return copied_ <= kCopiedNodesMax || Fail("aliases multiply to too many values", place);
  }

  bool ParseAnchored(Node& node, int depth, std::string_view anchor_view) {
    const std::string anchor(anchor_view);
    if (!anchor.empty()) {
      if (open_anchors_.contains(anchor)) return Fail("duplicate anchor &" + anchor, node.place);
      open_anchors_.insert(anchor);
    }
    const yaml_event_type_t type = event_.raw().type;
    const bool ok = type == YAML_SCALAR_EVENT           ? ParseScalar(node)
                    : type == YAML_SEQUENCE_START_EVENT ? ParseSequence(node, depth)
                                                        : ParseMapping(node, depth);
    if (!ok || anchor.empty()) return ok;
    if (!TakeCopies(node, node.place)) return false;
    anchors_[anchor] = node;
    return true;
  }

  // The tag of the current scalar event; nullopt after Fail.
  std::optional<ScalarTag> TagOfScalar() {
    const auto& scalar = event_.raw().data.scalar;
    const std::string_view value(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (scalar.tag == nullptr) {
      return scalar.plain_implicit != 0 ? ResolvePlain(value) : ScalarTag::kString;
    }
    std::string_view tag = View(scalar.tag);
    if (tag == "!") return ResolvePlain(value);  // compat: also for a quoted scalar
    if (tag.starts_with(kTagPrefix)) {
      tag.remove_prefix(kTagPrefix.size());
      if (tag == "str" || tag == "timestamp") return ScalarTag::kString;
      if (tag == "int") return ScalarTag::kInt;
      if (tag == "float") return ScalarTag::kFloat;
      if (tag == "bool") return ScalarTag::kBool;
      if (tag == "null") return ScalarTag::kNull;
      if (tag == "merge") return ScalarTag::kMerge;
      if (tag == "value") return ScalarTag::kValue;
    }
    Fail("tag " + std::string(View(scalar.tag)) + " is not supported here", Here());
    return std::nullopt;
  }

  bool ParseScalar(Node& node) {
    const auto tag = TagOfScalar();
    return tag && Construct(*tag, node);
  }

  bool Construct(ScalarTag tag, Node& node) {
    const auto& scalar = event_.raw().data.scalar;
    const std::string_view value(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (auto error = ConstructScalar(tag, value, node)) return Fail(std::move(*error), node.place);
    return true;
  }

  bool CheckCollectionTag(const yaml_char_t* tag, std::string_view expected) {
    const std::string_view view = View(tag);
    if (view.empty() || view == "!" || view == std::string(kTagPrefix) + std::string(expected)) {
      return true;
    }
    return Fail("tag " + std::string(view) + " is not supported here", Here());
  }

  bool ParseSequence(Node& node, int depth) {
    if (!CheckCollectionTag(event_.raw().data.sequence_start.tag, "seq")) return false;
    node.kind = Kind::kSequence;
    while (true) {
      if (!Next()) return false;
      if (event_.raw().type == YAML_SEQUENCE_END_EVENT) return true;
      if (!ParseNode(node.items.emplace_back(), depth + 1)) return false;
    }
  }

  bool ParseMapping(Node& node, int depth) {
    if (!CheckCollectionTag(event_.raw().data.mapping_start.tag, "map")) return false;
    node.kind = Kind::kMapping;
    std::vector<Pair> merged;
    std::vector<Pair> own;
    while (true) {
      if (!Next()) return false;
      if (event_.raw().type == YAML_MAPPING_END_EVENT) break;
      if (!ParsePair(merged, own, depth)) return false;
    }
    merged.insert(merged.end(), std::make_move_iterator(own.begin()),
                  std::make_move_iterator(own.end()));
    AssembleMapping(std::move(merged), node);
    return true;
  }

  bool ParsePair(std::vector<Pair>& merged, std::vector<Pair>& own, int depth) {
    Member member;
    bool is_merge = false;
    member.key.place = Here();
    if (event_.raw().type == YAML_SCALAR_EVENT && View(event_.raw().data.scalar.anchor).empty()) {
      auto tag = TagOfScalar();
      if (!tag) return false;
      is_merge = *tag == ScalarTag::kMerge;
      // compat: "=" is an ordinary key, although it is no value.
      if (*tag == ScalarTag::kValue) tag = ScalarTag::kString;
      if (!is_merge && !Construct(*tag, member.key)) return false;
    } else if (!ParseNode(member.key, depth + 1)) {
      return false;
    }
    if (member.key.IsMapping() || member.key.IsSequence()) {
      return Fail("a key cannot be a list or mapping", member.key.place);
    }
    if (!Next() || !ParseNode(member.value, depth + 1)) return false;
    if (is_merge) return Merge(member, merged);
    own.push_back(Pair{std::move(member), true});
    return true;
  }

  // `<<: *base` or `<<: [*first, *second]`, where the first one wins.
  bool Merge(const Member& member, std::vector<Pair>& merged) {
    const auto append = [&merged](const Node& from) {
      for (const Member& m : from.members) merged.push_back(Pair{m, false});
    };
    if (member.value.IsMapping()) {
      append(member.value);
      return true;
    }
    if (!member.value.IsSequence()) {
      return Fail("\"<<\" needs a mapping or a list of mappings", member.value.place);
    }
    for (size_t i = member.value.items.size(); i-- > 0;) {
      if (!member.value.items[i].IsMapping()) {
        return Fail("\"<<\" needs a mapping or a list of mappings", member.value.items[i].place);
      }
      append(member.value.items[i]);
    }
    return true;
  }

  // Last value wins, in the place of the first; own keys that come twice are reported.
  void AssembleMapping(std::vector<Pair> pairs, Node& node) {
    std::unordered_map<std::string, size_t> index_of;
    std::unordered_set<std::string> own_seen;
    node.members.reserve(pairs.size());
    for (Pair& pair : pairs) {
      std::string hash = HashText(pair.member.key);
      if (pair.is_own && !own_seen.insert(hash).second) {
        parsed_.warnings.push_back({"key \"" + KeyText(pair.member.key) +
                                        "\" comes twice in this mapping; the last one counts",
                                    pair.member.key.place});
      }
      const auto [found, is_new] = index_of.emplace(std::move(hash), node.members.size());
      if (is_new) {
        node.members.push_back(std::move(pair.member));
      } else {
        Member& present = node.members[found->second];
        present.key.place = pair.member.key.place;
        present.value = std::move(pair.member.value);
      }
    }
  }

  yaml_parser_t parser_{};
  Event event_;
  int file_;
  bool ready_ = false;
  Parsed parsed_;
  std::unordered_map<std::string, Node> anchors_;  // complete
  std::unordered_set<std::string> open_anchors_;   // ever begun
  size_t copied_ = 0;
};

}  // namespace

Parsed Parse(std::string_view text, int file) {
  if (text.size() > kTextBytesMax) {
    Parsed parsed;
    parsed.error = Problem{"larger than 32 MiB", Place{file, 0, 0}};
    return parsed;
  }
  return Builder(text, file).Run();
}

std::string DumpYamlAsJson(std::string_view text) {
  const Parsed parsed = Parse(text);
  std::string out;
  if (parsed.error) {
    out = "error: " + std::to_string(parsed.error->place.line) + ":" +
          std::to_string(parsed.error->place.column) + ": " + parsed.error->message;
    return out;
  }
  AppendJson(out, parsed.root);
  return out;
}

}  // namespace gw::config::yaml
