// Multipart bodies: whatever arrives, views stay inside the body, and what was read can be put
// together and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/form_data.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 8192) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view type = text.substr(0, line), body = text.substr(line + 1);
  const auto form = gw::api::ParseFormData(type, body);
  if (!form.ok()) return 0;
  std::string again;
  for (const gw::api::FormPart& part : form.value().parts) {
    if (!part.value.empty() && (part.value.data() < body.data() || part.value.data() + part.value.size() > body.data() + body.size()))
      std::abort();
    again.append(part.raw).append("\r\n");
  }
  again.append("--").append(form.value().boundary).append("--");
  const auto second = gw::api::ParseFormData(type, again);
  if (!second.ok() || second.value().parts.size() != form.value().parts.size()) std::abort();
  for (size_t i = 0; i < form.value().parts.size(); ++i) {
    if (second.value().parts[i].value != form.value().parts[i].value) std::abort();
  }
  return 0;
}
