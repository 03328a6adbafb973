#include "http/gzip.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace gw::http {

bool AcceptsGzip(std::string_view accept_encoding) {
  for (const std::string_view part : Split(accept_encoding, ',')) {
    const std::string_view coding = Trim(part.substr(0, part.find(';')));
    if (!EqualsIgnoreCase(coding, "gzip") && coding != "*") continue;
    const size_t q = part.find("q=");
    if (q == std::string_view::npos) return true;
    const auto weight = ParseDouble(Trim(part.substr(q + 2)));
    return !weight || *weight > 0;
  }
  return false;
}

struct Gzipper::State {
  isal_zstream stream;
  std::array<uint8_t, ISAL_DEF_LVL1_DEFAULT> level_buffer;
};

Gzipper::Gzipper() : state_(std::make_unique<State>()) {
  isal_zstream& stream = state_->stream;
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = state_->level_buffer.data();
  stream.level_buf_size = static_cast<uint32_t>(state_->level_buffer.size());
  stream.gzip_flag = IGZIP_GZIP;
}
Gzipper::~Gzipper() = default;

void Gzipper::Run(std::string_view text, bool is_last, std::string& out) {
  isal_zstream& stream = state_->stream;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uint32_t>(text.size());
  stream.end_of_stream = is_last ? 1 : 0;
  std::array<uint8_t, 16 * 1024> ready;
  do {
    stream.next_out = ready.data();
    stream.avail_out = static_cast<uint32_t>(ready.size());
    isal_deflate(&stream);
    out.append(reinterpret_cast<const char*>(ready.data()), ready.size() - stream.avail_out);
  } while (stream.avail_out == 0);
}

void Gzipper::Add(std::string_view text, std::string& out) {
  constexpr size_t kBytesAtOnceMax = size_t{1} << 30;  // the library counts in 32 bits
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), kBytesAtOnceMax))) {
    Run(text.substr(0, kBytesAtOnceMax), false, out);
  }
}

void Gzipper::Finish(std::string& out) { Run({}, true, out); }

std::string Gzip(std::string_view text) {
  Gzipper gzipper;
  std::string out;
  gzipper.Add(text, out);
  gzipper.Finish(out);
  return out;
}

}  // namespace gw::http
