#include "redis/subscriber.h"

#include <span>

#include "base/limits.h"
#include "net/input_buffer.h"
#include "redis/locators.h"

namespace gw::redis {

namespace {

constexpr std::chrono::milliseconds kPause{500};
// A channel may be silent; a connection that broke without a word is noticed this late.
constexpr std::chrono::seconds kSilenceMax{60};
constexpr size_t kMessageBytesMax = size_t{1} << 20;

}  // namespace

Subscriber::Subscriber(net::EventLoop& loop, net::DnsCache& dns, OptionsPtr options, std::string channel,
                       OnMessage on_message)
    : loop_(loop), dns_(dns), options_(std::move(options)), channel_(std::move(channel)),
      on_message_(std::move(on_message)) {
  if (options_->settings.topology != config::RedisSettings::Topology::kCluster) locator_ = MakeLocator(options_);
}

void Subscriber::Start() { net::Spawn(Run(shared_from_this())); }

void Subscriber::Close() {
  const std::shared_ptr<Subscriber> self = shared_from_this();
  closed_ = true;
  if (stream_ != nullptr) stream_->Cancel();
  dial_cancel_.Fire();
  wake_.Fire();
}

std::shared_ptr<Locator> Subscriber::NextLocator() {
  if (locator_ != nullptr) return locator_;
  return MakeFixedLocator(options_->targets[turn_++ % options_->targets.size()]);
}

net::Task<void> Subscriber::Listen() {
  const std::shared_ptr<Locator> locator = NextLocator();
  const auto target = co_await locator->Locate(loop_, dns_, dial_cancel_);
  if (closed_ || !target) co_return;
  const TimePoint deadline = SteadyClock::now() + limits::kRedisConnectTimeout;
  net::DialResult dialled = co_await net::Dial(loop_, dns_, *target, deadline, &dial_cancel_);
  if (closed_ || dialled.stream == nullptr) co_return;
  stream_ = dialled.stream.get();
  std::string bytes = options_->login.AuthCommand();
  bytes += Command("SUBSCRIBE", {channel_}).Encode();
  net::InputBuffer input(loop_, *dialled.stream, limits::kReadBufferBytes);
  const std::string_view piece = bytes;
  const net::IoResult written = co_await net::WriteAll(*dialled.stream, std::span(&piece, 1));
  ReplyBounds bounds;
  bounds.bytes_max = kMessageBytesMax;
  ReplyDecoder decoder(bounds);
  bool is_well = written.ok();
  while (is_well && !closed_) {
    const net::IoStatus status = co_await net::InputBuffer::Fill(input, SteadyClock::now() + kSilenceMax);
    if (status != net::IoStatus::kOk) break;
    decoder.Feed(input.data());
    input.Consume(input.data().size());
    input.Compact();
    Reply reply;
    auto outcome = ReplyDecoder::Outcome::kMore;
    while ((outcome = decoder.Next(reply)) == ReplyDecoder::Outcome::kReply) {
      is_well &= !reply.IsError();
      if (reply.items.size() == 3 && reply.items[0].text == "message") on_message_(reply.items[2].text);
    }
    is_well &= outcome != ReplyDecoder::Outcome::kBroken;
  }
  stream_ = nullptr;
  dialled.stream->Cancel();
  co_await net::InputBuffer::Settled(input);
}

net::Task<void> Subscriber::Run(std::shared_ptr<Subscriber> self) {
  while (!self->closed_) {
    co_await self->Listen();
    if (self->closed_) break;
    (void)co_await net::Sleep(self->loop_, kPause, &self->wake_);
  }
}

}  // namespace gw::redis
