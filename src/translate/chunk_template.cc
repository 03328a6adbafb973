#include "translate/chunk_template.h"

#include "base/json.h"

namespace gw::translate {

void ChunkTemplate::Learn(std::string_view json, std::string_view content, std::string_view written,
                          size_t content_offset) {
  const auto offset = static_cast<size_t>(content.data() - json.data());
  in_before_.assign(json.substr(0, offset));
  in_behind_.assign(json.substr(offset + content.size()));
  out_before_.assign(written.substr(0, content_offset));
  out_behind_.assign(written.substr(content_offset + content.size()));
}

bool ChunkTemplate::Apply(std::string_view json, std::string& out, std::string_view* content) const {
  if (in_before_.empty() || json.size() <= in_before_.size() + in_behind_.size()) return false;
  if (!json.starts_with(in_before_) || !json.ends_with(in_behind_)) return false;
  const std::string_view text =
      json.substr(in_before_.size(), json.size() - in_before_.size() - in_behind_.size());
  if (!json::IsSimpleStringContent(text)) return false;
  out += out_before_;
  out += text;
  out += out_behind_;
  *content = text;
  return true;
}

}  // namespace gw::translate
