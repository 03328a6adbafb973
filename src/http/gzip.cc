#include "http/gzip.h"

#include <zlib.h>

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

std::string Gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
  std::string out;
  out.resize(deflateBound(&stream, static_cast<uLong>(text.size())));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace gw::http
