// Who else wants the answer while it goes to the client? The response cache is the one listener so
// far; without one the path pays a comparison with null.
#pragma once

#include <string>
#include <string_view>

#include "api/usage.h"
#include "base/result.h"
#include "routing/router.h"

namespace gw::gateway {

class AnswerListener {
 public:
  AnswerListener() = default;
  virtual ~AnswerListener() = default;
  AnswerListener(const AnswerListener&) = delete;
  AnswerListener& operator=(const AnswerListener&) = delete;

  // A whole answer in the client's schema, before a byte of it is sent. Returns what is sent
  // instead, valid as long as the listener. `usage` is what the client reads afterwards; the cost
  // has been reckoned before. An Error: the answer cannot be used, the attempt has failed.
  [[nodiscard]] virtual Result<std::string_view> OnWhole(const routing::Candidate& by, std::string body,
                                                         api::Usage& usage) = 0;
  // Bytes of a stream, as they go out.
  virtual void OnStreamBytes(std::string_view bytes) = 0;
  // The client has all of it.
  virtual void OnAnswered(const routing::Candidate& by, const api::Usage& usage) = 0;
};

}  // namespace gw::gateway
