#include "metrics/label_text.h"

#include <algorithm>

#include "base/limits.h"
#include "base/utf8.h"

namespace gw::metrics {
namespace {

void AppendAscii(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += ' ';
      break;
    case '\r':
      break;
    case '\\':
    case '"':
      out += '\\';
      out += c;
      break;
    default:
      out += c;
  }
}

}  // namespace

std::string_view CutLabelValue(std::string_view value) {
  return CutUtf8(value, limits::kLabelValueBytesMax);
}

void AppendLabelValue(std::string& out, std::string_view value) {
  value = CutLabelValue(value);
  while (!value.empty()) {
    if (static_cast<unsigned char>(value[0]) < 0x80) {
      AppendAscii(out, value[0]);
      value.remove_prefix(1);
      continue;
    }
    const size_t length = Utf8SequenceAt(value);
    if (length == 0) {
      out += kUtf8Replacement;
      value.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = value.substr(0, length);
    if (sequence != "\u2028" && sequence != "\u2029") out += sequence;
    value.remove_prefix(length);
  }
}

void AppendHelp(std::string& out, std::string_view help, bool escape_quotes) {
  for (const char c : help) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && escape_quotes)) out += '\\';
    out += c;
  }
}

LabelOrder::LabelOrder(std::span<const std::string> names) {
  for (size_t i = 0; i < names.size(); ++i) sorted_.push_back({names[i], i});
  std::sort(sorted_.begin(), sorted_.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  for (const Entry& entry : sorted_) le_rank_ += entry.name < "le" ? 1 : 0;
}

void LabelOrder::Render(std::span<const std::string_view> values, LabelText& out) const {
  out.text.clear();
  out.le_at = 0;
  for (size_t rank = 0; rank < sorted_.size(); ++rank) {
    const Entry& entry = sorted_[rank];
    if (rank > 0) out.text += ',';
    if (rank == le_rank_) out.le_at = out.text.size();
    out.text += entry.name;
    out.text += "=\"";
    if (entry.declared_at < values.size()) AppendLabelValue(out.text, values[entry.declared_at]);
    out.text += '"';
  }
  if (le_rank_ == sorted_.size()) out.le_at = out.text.size();
}

}  // namespace gw::metrics
