// Replies of Redis are the same however the bytes are cut, and no bytes make the decoder hold more
// than its bounds. What a search of a vector index answers is read as well.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "redis/resp.h"
#include "redis/vector_search.h"

namespace {

using gw::redis::Reply;
using gw::redis::ReplyDecoder;

void Append(std::string& out, const Reply& reply, size_t depth) {
  if (depth > 9) std::abort();
  out += std::to_string(static_cast<int>(reply.kind)) + "," + std::to_string(reply.integer) + "," + reply.text + "[";
  for (const Reply& item : reply.items) Append(out, item, depth + 1);
  out += "]";
}

std::string Read(std::string_view bytes, size_t step) {
  gw::redis::ReplyBounds bounds;
  bounds.bytes_max = 4096;
  bounds.items_max = 256;
  ReplyDecoder decoder(bounds);
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += step) {
    decoder.Feed(bytes.substr(at, step));
    Reply reply;
    auto outcome = ReplyDecoder::Outcome::kMore;
    while ((outcome = decoder.Next(reply)) == ReplyDecoder::Outcome::kReply) {
      Append(out, reply, 0);
      out += std::to_string(gw::redis::ReadIndexFacts(reply).dimension);
      if (const auto neighbour = gw::redis::ReadNeighbour(std::move(reply))) out += neighbour->key + neighbour->tag;
    }
    if (outcome == ReplyDecoder::Outcome::kBroken) return out + "broken";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(bytes, size > 0 ? size : 1);
  for (const size_t step : {size_t{1}, size_t{3}, size_t{64}}) {
    if (Read(bytes, step) != whole) std::abort();
  }
  return 0;
}
