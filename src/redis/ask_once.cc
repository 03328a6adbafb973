#include "redis/ask_once.h"

#include <span>

#include "base/limits.h"
#include "net/input_buffer.h"

namespace gw::redis {

net::Task<std::optional<Reply>> AskOnce(net::EventLoop& loop, net::DnsCache& dns, net::DialTarget target, Login login,
                                        Command command, TimePoint deadline, net::CancelSlot& cancel) {
  std::optional<Reply> none;
  const net::DialResult dialled = co_await net::Dial(loop, dns, target, deadline, &cancel);
  if (dialled.stream == nullptr) co_return none;
  const net::CancelScope cancels(cancel, *dialled.stream);
  std::string bytes = login.AuthCommand();
  size_t expected = bytes.empty() ? 1 : 2;
  bytes += command.Encode();
  net::InputBuffer input(loop, *dialled.stream, limits::kReadBufferBytes);
  const std::string_view piece = bytes;
  const net::IoResult written = co_await net::WriteAll(*dialled.stream, std::span(&piece, 1));
  if (!written.ok()) co_return none;
  ReplyDecoder decoder;
  std::optional<Reply> answer;
  while (!answer) {
    const net::IoStatus status = co_await net::InputBuffer::Fill(input, deadline);
    if (status != net::IoStatus::kOk) break;
    decoder.Feed(input.data());
    input.Consume(input.data().size());
    input.Compact();
    Reply reply;
    auto outcome = ReplyDecoder::Outcome::kMore;
    while ((outcome = decoder.Next(reply)) == ReplyDecoder::Outcome::kReply) {
      if (reply.IsError()) expected = 0;
      if (expected > 0 && --expected == 0) answer = std::move(reply);
    }
    if (outcome == ReplyDecoder::Outcome::kBroken || (expected == 0 && !answer)) break;
  }
  dialled.stream->Cancel();
  co_await net::InputBuffer::Settled(input);
  co_return answer;
}

}  // namespace gw::redis
