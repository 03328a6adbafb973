// Does an operator's regular expression occur in a text that a stranger sent?
//
// Perl's dialect (PCRE2), near enough to Python's `re.search`. A match may take a bounded number of
// steps and a bounded stack: a text that drives an expression beyond that does not match.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace gw {

// Immutable, cheap to copy, usable from many threads at a time.
class Pattern {
 public:
  // The error's message says what is wrong with the expression, and where.
  [[nodiscard]] static Result<Pattern> Compile(std::string_view expression);
  [[nodiscard]] bool IsIn(std::string_view text) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace gw
