// How is a JSON text changed without being written anew?
//
// An EditList holds replacements of byte ranges of one source text, in rising order; AppendTo
// copies (or references) the source with the replacements in place. ObjectEditor turns "remove this
// member, add that one" into such ranges and takes care of the commas.
//
//   {"model":"a", "metadata":{}, "n":1}
//            ^^^ replace          ^ insert ,"stream":true
//               ^^^^^^^^^^^^^^^ remove
//
// The source must be valid JSON (json::Validate). Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "translate/translator.h"

namespace gw::translate {

struct Edit {
  size_t begin = 0;
  size_t end = 0;
  std::string_view text;  // must live until AppendTo
  bool is_static = false; // lives for ever: BodyPieces may keep the view
};

class EditList {
 public:
  explicit EditList(std::string_view source = {}) : source_(source) {}

  // Forgets all edits, keeps the memory.
  void Reset(std::string_view source) {
    source_ = source;
    edits_.clear();
  }
  [[nodiscard]] std::string_view source() const { return source_; }
  [[nodiscard]] bool empty() const { return edits_.empty(); }

  // Ranges must come in rising order and must not overlap.
  void Replace(size_t begin, size_t end, std::string_view text, bool is_static = false) {
    if (edits_.capacity() == 0) edits_.reserve(kUsualEdits);
    edits_.push_back({begin, end, text, is_static});
  }
  // The range of `part`, a view into the source.
  void Replace(std::string_view part, std::string_view text, bool is_static = false) {
    const size_t begin = OffsetOf(part);
    Replace(begin, begin + part.size(), text, is_static);
  }
  [[nodiscard]] size_t OffsetOf(std::string_view part) const {
    return static_cast<size_t>(part.data() - source_.data());
  }

  void AppendTo(std::string& out) const;
  // Where the byte at `source_offset`, which no edit touches, comes to lie in the output.
  [[nodiscard]] size_t OutputOffset(size_t source_offset) const {
    size_t offset = source_offset;
    for (const Edit& edit : edits_) {
      if (edit.end <= source_offset) offset = offset + edit.text.size() - (edit.end - edit.begin);
    }
    return offset;
  }
  // Unchanged stretches stay views into the source; replacements are owned by `out`.
  void AppendTo(BodyPieces& out) const;

 private:
  static constexpr size_t kUsualEdits = 8;

  std::string_view source_;
  std::vector<Edit> edits_;
};

// Edits one object of an EditList's source. Visit the members in order, call exactly one of Keep,
// Remove, Replace for each, edit inside a kept member's value only between its Keep and the next
// call, and call Finish once.
class ObjectEditor {
 public:
  // `object` is a view into the source of `edits`.
  ObjectEditor(std::string_view object, EditList* edits);

  // Before anything else, and only when the object keeps all of its members (or has none):
  // `member` (static text) becomes the first one.
  void InsertFirst(std::string_view member);
  void Keep(const json::Member& member);
  void Remove(const json::Member& member);
  void ReplaceValue(const json::Member& member, std::string_view value, bool is_static = false);
  void ReplaceKey(const json::Member& member, std::string_view quoted_key);  // static text
  // `additions`: members as text, without outer commas, e.g. "\"n\":1"; may be empty. It must live
  // until AppendTo; `scratch` likewise (it receives the additions with their comma).
  void Finish(std::string_view additions, std::string* scratch);

 private:
  EditList* edits_;
  size_t base_;          // offset of the object in the source
  size_t last_end_;      // end of the last member seen, or behind the brace
  size_t removed_from_ = 0;  // begin of the removed members that lead the object
  bool removing_head_ = false;
  bool any_kept_ = false;
};

// A dotted path of additional_drop_params: "a", "a.b", "tools[*].function.strict", "messages[0].x".
// Returns `body` without the members the path names; nothing named: the body as it was.
[[nodiscard]] std::string RemovePath(std::string_view body, std::string_view path);

}  // namespace gw::translate
