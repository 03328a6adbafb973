#include "api/form_data.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "base/strings.h"

namespace gw::api {

namespace {

constexpr std::string_view kType = "multipart/form-data";
constexpr size_t kBoundaryBytesMax = 70;  // RFC 2046
constexpr size_t kPartHeadBytesMax = 4096;

Error Malformed(std::string_view why) {
  return ClientError(400, std::string("Malformed multipart body: ").append(why), "invalid_request_error", "request_body");
}

// The value of `; name=value` or `; name="value"`; nullptr as data: there is none. Browsers write %22 for
// a quote inside, so the first quote ends it. `odd` is set when readers could differ: the name comes
// twice, a quote is not closed, a backslash might be an escape.
std::string_view Parameter(std::string_view text, std::string_view name, bool& odd) {
  std::string_view found;
  while (true) {
    const size_t mark = text.find(';');
    if (mark == std::string_view::npos) return found;
    text = text.substr(mark + 1);
    const std::string_view rest = Trim(text);
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return found;
    const std::string_view key = Trim(rest.substr(0, equals));
    std::string_view value = rest.substr(equals + 1);
    const bool quoted = value.starts_with('"');
    if (quoted) value.remove_prefix(1);
    const size_t end = value.find(quoted ? '"' : ';');
    if (quoted && end == std::string_view::npos) {
      odd = true;
      return found;
    }
    if (EqualsIgnoreCase(key, name)) {
      odd = odd || found.data() != nullptr || (quoted && value.substr(0, end).find('\\') != std::string_view::npos);
      found = quoted ? value.substr(0, end) : Trim(value.substr(0, end));
    }
    // What a quoted value holds is no parameter.
    if (quoted) text = value.substr(end + 1);
  }
}

std::string_view BoundaryOf(std::string_view content_type) {
  bool odd = false;
  const std::string_view boundary = Parameter(content_type, "boundary", odd);
  if (odd || boundary.size() > kBoundaryBytesMax) return {};
  // RFC 2046's characters: none of them needs an escape in a header.
  constexpr std::string_view kAllowed =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'()+_,-./:=? ";
  return boundary.find_first_not_of(kAllowed) == std::string_view::npos ? boundary : std::string_view();
}

class Reader {
 public:
  Reader(std::string_view boundary, std::string_view body) : body_(body) {
    delimiter_.append("\r\n--").append(boundary);
    form_.boundary = boundary;
  }

  Result<FormData> Read() {
    const std::string_view first = std::string_view(delimiter_).substr(2);
    if (!body_.starts_with(first)) return Malformed("it does not begin with its boundary");
    at_ = first.size();
    size_t part_begin = 0;
    while (true) {
      if (body_.substr(at_).starts_with("--")) return std::move(form_);
      if (!SkipLineEnd()) return Malformed("a boundary is followed by other text");
      if (form_.parts.size() == limits::kFormPartsMax) return Malformed("too many parts");
      FormPart part;
      if (const char* why = ReadHead(part)) return Malformed(why);
      const size_t end = body_.find(delimiter_, at_ - 2);  // an empty value shares its CRLF
      if (end == std::string_view::npos) return Malformed("the closing boundary is missing");
      if (end > at_) part.value = body_.substr(at_, end - at_);
      part.raw = body_.substr(part_begin, std::max(end, at_) - part_begin);
      form_.parts.push_back(part);
      part_begin = end + 2;
      at_ = end + delimiter_.size();
    }
  }

 private:
  bool SkipLineEnd() {
    while (at_ < body_.size() && (body_[at_] == ' ' || body_[at_] == '\t')) ++at_;
    if (!body_.substr(at_).starts_with("\r\n")) return false;
    at_ += 2;
    return true;
  }

  // Leaves at_ behind the empty line. Not null: what is wrong.
  const char* ReadHead(FormPart& part) {
    const std::string_view rest = body_.substr(at_, kPartHeadBytesMax);
    const size_t end = rest.find("\r\n\r\n");
    if (end == std::string_view::npos) return "the head of a part has no end";
    std::string_view head = rest.substr(0, end);
    at_ += end + 4;
    int dispositions = 0;
    bool odd = false;
    while (!head.empty()) {
      const size_t line_end = head.find("\r\n");
      const std::string_view line = head.substr(0, line_end);
      head.remove_prefix(line_end == std::string_view::npos ? head.size() : line_end + 2);
      const size_t colon = line.find(':');
      if (colon == std::string_view::npos) return "a header of a part has no colon";
      if (std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }))
        return "a header of a part holds control characters";
      if (!EqualsIgnoreCase(Trim(line.substr(0, colon)), "content-disposition")) continue;
      ++dispositions;
      const std::string_view value = line.substr(colon + 1);
      bool odd_filename = false;  // names of files are for people
      part.name = Parameter(value, "name", odd);
      part.filename = Parameter(value, "filename", odd_filename);
      part.is_file = part.filename.data() != nullptr;
    }
    // Another reader might see another name: the upstream must not be told what we were not.
    if (dispositions > 1 || odd) return "the name of a part is not clear";
    return part.name.empty() ? "a part has no name" : nullptr;
  }

  const std::string_view body_;
  std::string delimiter_;
  size_t at_ = 0;
  FormData form_;
};

}  // namespace

const FormPart* FormData::Find(std::string_view name) const {
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    if (part->name == name) return &*part;
  }
  return nullptr;
}

bool IsFormData(std::string_view content_type) {
  return EqualsIgnoreCase(Trim(content_type.substr(0, content_type.find(';'))), kType);
}

Result<FormData> ParseFormData(std::string_view content_type, std::string_view body) {
  if (!IsFormData(content_type)) return Malformed("content-type must be multipart/form-data");
  const std::string_view boundary = BoundaryOf(content_type);
  if (boundary.empty()) return Malformed("content-type names no usable boundary");
  return Reader(boundary, body).Read();
}

}  // namespace gw::api
