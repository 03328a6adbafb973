// Which part of a text is reasoning that a model wrote between <think> and </think>?
//
// Works on the raw text of JSON string values, because that is what streams carry and what the
// encoders want: a piece without a tag goes through untouched. A tag may be cut over two pieces;
// then the beginning of the tag waits for the next piece.
#pragma once

#include <string>
#include <string_view>

namespace gw::translate {

class ThinkTagSplitter {
 public:
  // Calls emit(is_reasoning, escaped) for each run, in order; `escaped` is the content of a JSON
  // string without its quotes. `value` is a JSON string with its quotes.
  template <typename Emit>
  void Feed(std::string_view value, const Emit& emit) {
    if (value.size() <= 2) return;
    if (pending_.empty() && !MayHoldTag(value)) {
      emit(in_reasoning_, value.substr(1, value.size() - 2));
      return;
    }
    AppendDecoded(value);
    while (NextRun()) emit(run_is_reasoning_, Escaped());
  }

  // What was held back because it looked like the beginning of a tag.
  template <typename Emit>
  void Finish(const Emit& emit) {
    if (pending_.empty()) return;
    run_.swap(pending_);
    pending_.clear();
    emit(in_reasoning_, Escaped());
  }

 private:
  [[nodiscard]] static bool MayHoldTag(std::string_view value);
  void AppendDecoded(std::string_view value);
  // Moves the next run from pending_ to run_; false when nothing can be said yet.
  [[nodiscard]] bool NextRun();
  [[nodiscard]] std::string_view Escaped();

  bool in_reasoning_ = false;
  bool run_is_reasoning_ = false;
  std::string pending_;  // decoded text that is not handed out yet
  std::string run_;
  std::string escaped_;
};

// A whole answer: when `value` (a JSON string with quotes) begins with <think>, true, and the two
// parts as escaped contents.
[[nodiscard]] bool SplitLeadingThink(std::string_view value, std::string* reasoning,
                                     std::string* content);

}  // namespace gw::translate
