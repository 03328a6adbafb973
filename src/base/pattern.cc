#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string>

namespace gw {

namespace {

constexpr size_t kExpressionBytesMax = 4096;
constexpr size_t kTextBytesMax = 4096;      // longer texts are looked at so far
constexpr uint32_t kStepsMax = 20'000;      // about a millisecond
constexpr uint32_t kDepthMax = 1'000;
constexpr uint32_t kHeapKilobytesMax = 256;

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeLimits {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

pcre2_match_context* Limits() {
  static thread_local const std::unique_ptr<pcre2_match_context, FreeLimits> limits = [] {
    std::unique_ptr<pcre2_match_context, FreeLimits> made(pcre2_match_context_create(nullptr));
    if (made != nullptr) {
      pcre2_set_match_limit(made.get(), kStepsMax);
      pcre2_set_depth_limit(made.get(), kDepthMax);
      pcre2_set_heap_limit(made.get(), kHeapKilobytesMax);
    }
    return made;
  }();
  return limits.get();
}

pcre2_match_data* MatchData() {
  // One pair: where it matched is of no interest.
  static thread_local const std::unique_ptr<pcre2_match_data, FreeMatch> data(
      pcre2_match_data_create(1, nullptr));
  return data.get();
}

Error Invalid(std::string message) {
  Error error;
  error.cls = ErrorClass::kBadRequest;
  error.status = 400;
  error.message = std::move(message);
  return error;
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(pcre2_code* c) : code(c) {}
  ~Compiled() { pcre2_code_free(code); }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  pcre2_code* code;
};

Result<Pattern> Pattern::Compile(std::string_view expression) {
  if (expression.size() > kExpressionBytesMax) return Invalid("the expression is too long");
  int code = 0;
  PCRE2_SIZE place = 0;
  pcre2_code* compiled =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                    PCRE2_NEVER_BACKSLASH_C, &code, &place, nullptr);
  if (compiled == nullptr) {
    PCRE2_UCHAR text[128] = {};
    pcre2_get_error_message(code, text, sizeof text);
    return Invalid(std::string(reinterpret_cast<const char*>(text)) + " at character " +
                   std::to_string(place));
  }
  return Pattern(std::make_shared<const Compiled>(compiled));
}

bool Pattern::IsIn(std::string_view text) const {
  pcre2_match_context* limits = Limits();
  pcre2_match_data* data = MatchData();
  if (limits == nullptr || data == nullptr) return false;
  text = text.substr(0, kTextBytesMax);
  return pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                     data, limits) >= 0;
}

}  // namespace gw
