// The short way for heads as nearly everybody sends them: one pass over the bytes, sixteen at a time.
//
// It knows plain heads only: HTTP/1.1, names of letters, digits, '-' and '_', printable ASCII values, at
// most one Content-Length, no Upgrade, no Expect, no list in Connection, no chunked request. Whatever
// else a head holds, good or bad, is not judged here: the strict parser behind it (message.cc) decides,
// and its words are what a refused client reads. What is taken here is read as that parser reads it
// (plain_head_test.cc and fuzz/http_head_fuzz.cc compare them).
#pragma once

#include <string_view>

#include "http/message.h"

namespace gw::http {

// `text` is exactly one head. False: not plain; `head` is then half filled.
[[nodiscard]] bool ReadPlainRequestHead(std::string_view text, RequestHead& head);
[[nodiscard]] bool ReadPlainResponseHead(std::string_view text, ResponseHead& head);

}  // namespace gw::http
