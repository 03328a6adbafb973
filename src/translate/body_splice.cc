#include "translate/body_splice.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace gw::translate {

std::string BodyPieces::Flatten() const {
  std::string out;
  out.reserve(size_ + json::kPadding);
  for (const std::string_view piece : pieces_) out += piece;
  return out;
}

void EditList::AppendTo(std::string& out) const {
  size_t at = 0;
  for (const Edit& edit : edits_) {
    out.append(source_, at, edit.begin - at);
    out += edit.text;
    at = edit.end;
  }
  out.append(source_, at);
}

void EditList::AppendTo(BodyPieces& out) const {
  size_t at = 0;
  for (const Edit& edit : edits_) {
    out.AppendView(source_.substr(at, edit.begin - at));
    if (edit.is_static) {
      out.AppendView(edit.text);
    } else if (!edit.text.empty()) {
      out.AppendOwned(std::string(edit.text));
    }
    at = edit.end;
  }
  out.AppendView(source_.substr(at));
}

ObjectEditor::ObjectEditor(std::string_view object, EditList* edits)
    : edits_(edits), base_(edits->OffsetOf(object)) {
  const size_t brace = object.find('{');
  last_end_ = base_ + (brace == std::string_view::npos ? object.size() : brace + 1);
}

void ObjectEditor::InsertFirst(std::string_view member) {
  edits_->Replace(last_end_, last_end_, member, true);
  if (!json::TrimSpace(edits_->source().substr(last_end_)).starts_with('}'))
    edits_->Replace(last_end_, last_end_, ",", true);
}

void ObjectEditor::Keep(const json::Member& member) {
  // Removed members at the head take the comma behind them along.
  if (removing_head_) edits_->Replace(removed_from_, base_ + member.begin, {}, true);
  removing_head_ = false;
  any_kept_ = true;
  last_end_ = base_ + member.end;
}

void ObjectEditor::Remove(const json::Member& member) {
  if (any_kept_) {
    // ... the others take the comma before them.
    edits_->Replace(last_end_, base_ + member.end, {}, true);
  } else if (!removing_head_) {
    removing_head_ = true;
    removed_from_ = base_ + member.begin;
  }
  last_end_ = base_ + member.end;
}

void ObjectEditor::ReplaceValue(const json::Member& member, std::string_view value,
                                bool is_static) {
  Keep(member);
  edits_->Replace(member.value, value, is_static);
}

void ObjectEditor::ReplaceKey(const json::Member& member, std::string_view quoted_key) {
  Keep(member);
  const size_t begin = base_ + member.begin;
  edits_->Replace(begin, begin + member.key.size() + 2, quoted_key, true);
}

void ObjectEditor::Finish(std::string_view additions, std::string* scratch) {
  if (removing_head_) edits_->Replace(removed_from_, last_end_, {}, true);
  removing_head_ = false;
  if (additions.empty()) return;
  if (any_kept_) {
    scratch->assign(",");
    scratch->append(additions);
    additions = *scratch;
  }
  edits_->Replace(last_end_, last_end_, additions);
}

namespace {

// One step of a path: a member name, an index, or all elements.
struct PathStep {
  std::string name;                // member name when !is_element
  bool is_element = false;
  std::optional<int64_t> index;    // nullopt: '*'
};

// "tools[*].function.strict" -> tools, [*], function, strict. Empty when malformed.
std::vector<PathStep> ParsePath(std::string_view path) {
  std::vector<PathStep> steps;
  for (const std::string_view part : Split(path, '.')) {
    size_t bracket = part.find('[');
    if (bracket != 0) {
      if (part.empty()) return {};
      steps.push_back({std::string(part.substr(0, bracket)), false, std::nullopt});
    }
    while (bracket != std::string_view::npos && bracket < part.size()) {
      const size_t close = part.find(']', bracket);
      if (part[bracket] != '[' || close == std::string_view::npos) return {};
      const std::string_view inside = part.substr(bracket + 1, close - bracket - 1);
      const auto index = ParseInt(inside);
      if (inside != "*" && (!index || *index < 0)) return {};
      steps.push_back({{}, true, inside == "*" ? std::nullopt : index});
      bracket = close + 1;
    }
  }
  return steps;
}

using StepIterator = std::vector<PathStep>::const_iterator;

// Depth is bounded by the number of steps.
void RemoveSteps(std::string_view value, StepIterator step, StepIterator end, EditList* edits) {
  if (step == end) return;
  if (step->is_element) {
    if (json::KindOf(value) != json::Kind::kArray) return;
    int64_t at = 0;
    for (json::ElementCursor c(value); c.Next(); ++at) {
      // An element itself is never removed: its neighbours would change their meaning.
      if (!step->index || *step->index == at) RemoveSteps(c.value(), step + 1, end, edits);
    }
    return;
  }
  if (json::KindOf(value) != json::Kind::kObject) return;
  ObjectEditor editor(value, edits);
  for (json::MemberCursor c(value); c.Next();) {
    if (!c.member().KeyIs(step->name)) {
      editor.Keep(c.member());
    } else if (step + 1 == end) {
      editor.Remove(c.member());
    } else {
      editor.Keep(c.member());
      RemoveSteps(c.member().value, step + 1, end, edits);
    }
  }
  editor.Finish({}, nullptr);
}

}  // namespace

std::string RemovePath(std::string_view body, std::string_view path) {
  const std::vector<PathStep> steps = ParsePath(path);
  EditList edits(body);
  RemoveSteps(body, steps.begin(), steps.end(), &edits);
  std::string out;
  out.reserve(body.size() + json::kPadding);
  edits.AppendTo(out);
  return out;
}

}  // namespace gw::translate
