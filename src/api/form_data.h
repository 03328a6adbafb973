// What does a multipart/form-data body hold? Views into it; nothing is copied.
//
//   --B CRLF headers CRLF CRLF value CRLF --B ... --B--
//
// RFC 7578. Strict where a lenient reader could be led astray: a part without a name, a boundary that
// is missing or odd, a body that does not end with its closing delimiter are refused.
// Pure; the views live as long as the body and the content type that were handed in.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace gw::api {

struct FormPart {
  std::string_view name;
  std::string_view filename;   // empty: none was given
  std::string_view value;
  std::string_view raw;        // from its delimiter line to the end of its value
  bool is_file = false;        // it has a filename, also an empty one
};

struct FormData {
  std::string_view boundary;
  std::vector<FormPart> parts;  // in the order of the body

  // The last one of that name, or null.
  [[nodiscard]] const FormPart* Find(std::string_view name) const;
};

[[nodiscard]] bool IsFormData(std::string_view content_type);

// At most limits::kFormPartsMax parts. Error: 400, in words.
[[nodiscard]] Result<FormData> ParseFormData(std::string_view content_type, std::string_view body);

}  // namespace gw::api
