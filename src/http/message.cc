#include "http/message.h"

#include <llhttp.h>

#include <bit>
#include <cstring>

#include "base/limits.h"
#include "base/strings.h"
#include "http/plain_head.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gw::http {

namespace {

struct HeadState {
  Headers* headers = nullptr;
  std::string_view target;
  std::string_view field;
  std::string_view value;
  bool have_value = false;
  bool too_many = false;
  bool split = false;  // a value came in two parts: a folded line
};

HeadState& StateOf(llhttp_t* parser) { return *static_cast<HeadState*>(parser->data); }

int OnUrl(llhttp_t* parser, const char* at, size_t length) {
  StateOf(parser).target = {at, length};
  return 0;
}

int OnField(llhttp_t* parser, const char* at, size_t length) {
  StateOf(parser).field = {at, length};
  return 0;
}

int OnValue(llhttp_t* parser, const char* at, size_t length) {
  HeadState& state = StateOf(parser);
  state.split = state.split || state.have_value;
  state.value = {at, length};
  state.have_value = true;
  return 0;
}

int OnValueComplete(llhttp_t* parser) {
  HeadState& state = StateOf(parser);
  if (state.headers->fields().size() >= limits::kHeaderCountMax) {
    state.too_many = true;
    return -1;
  }
  state.headers->Add(state.field, state.have_value ? Trim(state.value) : std::string_view());
  state.have_value = false;
  return 0;
}

int OnHeadersComplete(llhttp_t* parser) {
  parser->upgrade = 0;  // "Upgrade: h2c" of an ordinary request is an offer that we do not take
  return 0;
}

int PauseAtEnd(llhttp_t*) { return HPE_PAUSED; }

const llhttp_settings_t& HeadSettings() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t s;
    llhttp_settings_init(&s);
    s.on_url = &OnUrl;
    s.on_header_field = &OnField;
    s.on_header_value = &OnValue;
    s.on_header_value_complete = &OnValueComplete;
    s.on_headers_complete = &OnHeadersComplete;
    s.on_message_complete = &PauseAtEnd;
    return s;
  }();
  return settings;
}

// Lines must end in CRLF and hold no other control bytes; llhttp is laxer about bare LF.
bool HasBareLineBreak(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const char* lf = static_cast<const char*>(std::memchr(text.data() + at, '\n', text.size() - at));
    if (lf == nullptr) break;
    const auto found = static_cast<size_t>(lf - text.data());
    if (found == 0 || text[found - 1] != '\r') return true;
    at = found + 1;
  }
  return text.find('\0') != std::string_view::npos;
}

// A length is digits alone and stands once; llhttp checks most of it, this is the rest.
const char* CheckFraming(const Headers& headers) {
  int lengths = 0, codings = 0;
  for (const HeaderField& field : headers.fields()) {
    if (EqualsIgnoreCase(field.name, "content-length")) {
      ++lengths;
      if (field.value.empty() || field.value.find_first_not_of("0123456789") != std::string_view::npos)
        return "malformed Content-Length";
    } else if (EqualsIgnoreCase(field.name, "transfer-encoding")) {
      ++codings;
      if (!EqualsIgnoreCase(field.value, "chunked")) return "unsupported Transfer-Encoding";
    }
  }
  if (lengths > 1) return "repeated Content-Length";
  if (codings > 1) return "repeated Transfer-Encoding";
  if (lengths > 0 && codings > 0) return "both Content-Length and Transfer-Encoding";
  return nullptr;
}

const char* Execute(llhttp_t& parser, HeadState& state, std::string_view text) {
  if (HasBareLineBreak(text)) return "bare line break in the head";
  parser.data = &state;
  const llhttp_errno_t rc = llhttp_execute(&parser, text.data(), text.size());
  if (state.too_many) return "too many header fields";
  if (rc != HPE_OK && rc != HPE_PAUSED) {
    const char* reason = llhttp_get_error_reason(&parser);
    return (reason != nullptr && *reason != '\0') ? reason : "malformed head";
  }
  if (state.split) return "folded header line";
  return CheckFraming(*state.headers);
}

}  // namespace

const HeaderField* Headers::Find(std::string_view name) const {
  if ((sizes_ & SizeBit(name)) == 0) return nullptr;
  for (const HeaderField& field : fields_) {
    if (field.name.size() == name.size() && EqualsIgnoreCase(field.name, name)) return &field;
  }
  return nullptr;
}

std::string_view Headers::Get(std::string_view name) const {
  const HeaderField* field = Find(name);
  return field != nullptr ? field->value : std::string_view();
}

bool Headers::Has(std::string_view name) const { return Find(name) != nullptr; }

std::string Headers::Joined(std::string_view name, size_t bytes_max) const {
  std::string out;
  for (const HeaderField& field : fields_) {
    if (field.value.empty() || !EqualsIgnoreCase(field.name, name)) continue;
    if (out.size() + (out.empty() ? 0 : 1) + field.value.size() > bytes_max) break;
    if (!out.empty()) out += ',';
    out += field.value;
  }
  return out;
}

namespace {

// The first "\n?\n" from `at` on, as the offset of its first byte; or where fewer than 18 bytes are left.
size_t SkipToEmptyLine(std::string_view text, size_t at) {
#if defined(__SSE2__)
  const __m128i feed = _mm_set1_epi8('\n');
  for (; at + 18 <= text.size(); at += 16) {
    const char* const here = text.data() + at;
    const __m128i one = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(here)), feed);
    const __m128i two = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(here + 2)), feed);
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(one, two)));
    if (mask != 0) return at + static_cast<size_t>(std::countr_zero(mask));
  }
#endif
  return at;
}

}  // namespace

size_t FindHeadEnd(std::string_view text, size_t& scanned) {
  const size_t from = scanned > 3 ? scanned - 3 : 0;
  scanned = text.size();
  // The feed that ends a line lies one byte behind the "\r" that the empty line is looked up by.
  const size_t near = SkipToEmptyLine(text, from);
  const size_t found = text.find("\r\n\r\n", near > from ? near - 1 : from);
  return found == std::string_view::npos ? found : found + 4;
}

const char* ParseRequestHead(std::string_view text, RequestHead& head) {
  if (ReadPlainRequestHead(text, head)) [[likely]] return nullptr;
  return ParseAnyRequestHead(text, head);
}

const char* ParseAnyRequestHead(std::string_view text, RequestHead& head) {
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &HeadSettings());
  head.headers.Clear();
  HeadState state;
  state.headers = &head.headers;
  if (const char* reason = Execute(parser, state, text)) return reason;
  head.method = text.substr(0, text.find(' '));
  head.target = state.target;
  head.http11 = parser.http_major == 1 && parser.http_minor == 1;
  if (parser.http_major != 1) return "unsupported HTTP version";
  head.keep_alive = llhttp_should_keep_alive(&parser) != 0;
  head.chunked = (parser.flags & F_CHUNKED) != 0;
  // RFC 9112, 6.1: an HTTP/1.0 hop does not know the coding and may see another end of the message.
  if (head.chunked && !head.http11) return "Transfer-Encoding in an HTTP/1.0 request";
  const std::string_view length = head.headers.Get("content-length");
  head.content_length.reset();
  if (!length.empty()) {
    const auto value = ParseInt(length);
    if (!value) return "Content-Length out of range";
    head.content_length = static_cast<uint64_t>(*value);
  }
  // Without a body llhttp counts the message as over and forgets to keep the connection.
  if (!head.chunked && !head.content_length) {
    const std::string_view connection = head.headers.Get("connection");
    head.keep_alive = head.http11 ? !ContainsIgnoreCase(connection, "close")
                                  : ContainsIgnoreCase(connection, "keep-alive");
  }
  head.expect_continue = EqualsIgnoreCase(head.headers.Get("expect"), "100-continue");
  return nullptr;
}

const char* ParseResponseHead(std::string_view text, ResponseHead& head) {
  if (ReadPlainResponseHead(text, head)) [[likely]] return nullptr;
  return ParseAnyResponseHead(text, head);
}

const char* ParseAnyResponseHead(std::string_view text, ResponseHead& head) {
  llhttp_t parser;
  llhttp_init(&parser, HTTP_RESPONSE, &HeadSettings());
  head.headers.Clear();
  HeadState state;
  state.headers = &head.headers;
  if (const char* reason = Execute(parser, state, text)) return reason;
  head.status = static_cast<int>(parser.status_code);
  head.chunked = (parser.flags & F_CHUNKED) != 0;
  head.bodyless = head.status < 200 || head.status == 204 || head.status == 304;
  const std::string_view length = head.headers.Get("content-length");
  head.content_length.reset();
  if (!length.empty()) {
    const auto value = ParseInt(length);
    if (!value) return "Content-Length out of range";
    head.content_length = static_cast<uint64_t>(*value);
  }
  const std::string_view connection = head.headers.Get("connection");
  head.keep_alive = parser.http_minor == 1 ? !ContainsIgnoreCase(connection, "close")
                                           : ContainsIgnoreCase(connection, "keep-alive");
  if (!head.chunked && !head.content_length && !head.bodyless) head.keep_alive = false;
  return nullptr;
}

// One byte outside chunk data. False: malformed.
bool ChunkedDecoder::Step(char c) {
  constexpr uint32_t kSizeDigitsMax = 15;
  constexpr uint32_t kLineBytesMax = 8 * 1024;
  if (++line_bytes_ > kLineBytesMax) return false;
  switch (state_) {
    case State::kSize: {
      const char lower = AsciiLower(c);
      const bool decimal = c >= '0' && c <= '9';
      if (decimal || (lower >= 'a' && lower <= 'f')) {
        left_ = left_ * 16 + static_cast<uint64_t>(decimal ? c - '0' : lower - 'a' + 10);
        return ++digits_ <= kSizeDigitsMax;
      }
      if (digits_ == 0) return false;
      if (c == '\r') state_ = State::kSizeLf;
      else if (c == ';') state_ = State::kExtension;
      else return false;
      return true;
    }
    case State::kExtension:
      if (c == '\r') state_ = State::kSizeLf;
      return c != '\n';
    case State::kSizeLf:
      state_ = left_ == 0 ? State::kTrailerStart : State::kData;
      return c == '\n';
    case State::kDataCr:
      state_ = State::kDataLf;
      return c == '\r';
    case State::kDataLf:
      state_ = State::kSize;
      digits_ = line_bytes_ = 0;
      return c == '\n';
    case State::kTrailerStart:
      state_ = c == '\r' ? State::kEndLf : State::kTrailer;
      return c != '\n';
    case State::kTrailer:
      if (c == '\r') state_ = State::kTrailerLf;
      return c != '\n';
    case State::kTrailerLf:
      state_ = State::kTrailerStart;
      return c == '\n';
    case State::kEndLf:
      state_ = State::kDone;
      return c == '\n';
    case State::kData:
    case State::kDone: break;
  }
  return false;
}

std::optional<size_t> ChunkedDecoder::Feed(std::string_view bytes, std::vector<std::string_view>& spans) {
  size_t at = 0;
  while (at < bytes.size() && state_ != State::kDone) {
    if (state_ == State::kData) {
      const auto take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - at));
      spans.push_back(bytes.substr(at, take));
      at += take;
      left_ -= take;
      if (left_ == 0) state_ = State::kDataCr;
      continue;
    }
    if (!Step(bytes[at++])) return std::nullopt;
  }
  return at;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 204: return "No Content";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return status < 400 ? "OK" : "Error";
  }
}

}  // namespace gw::http
