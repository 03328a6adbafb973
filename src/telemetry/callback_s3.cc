// s3_v2: each payload as an object, named as LiteLLM names it; or one .jsonl per flush.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>

#include "base/strings.h"
#include "telemetry/callback_receiver.h"
#include "telemetry/payload.h"
#include "telemetry/s3_key.h"
#include "telemetry/sigv4.h"

namespace gw::telemetry {
namespace {

constexpr size_t kWaitingBytesMax = size_t{8} << 20;
constexpr std::string_view kContentHash = "x-amz-content-sha256";

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Made for each attempt: what waited for minutes would come with a time that S3 no longer takes.
std::function<HeaderList(const HttpMessage&)> SignerOf(const config::S3Settings& s3, std::string host) {
  const AwsSigner signer{s3.access_key, s3.secret_key, s3.session_token, s3.region, "s3"};
  return [signer, host = std::move(host)](const HttpMessage& message) {
    AwsRequest request{message.method, message.target, "", message.headers, ""};
    for (const auto& [name, value] : message.headers) {
      if (name == kContentHash) request.payload_sha256 = value;
    }
    request.headers.emplace_back("host", host);
    return SignAws(signer, request, UnixNow());
  };
}

class S3Receiver final : public CallbackReceiver {
 public:
  S3Receiver(config::S3Settings settings, config::CallbackEvents events, Url url, std::unique_ptr<Delivery> delivery)
      : CallbackReceiver("s3_v2", events, std::move(delivery)),
        settings_(std::move(settings)),
        url_(std::move(url)) {}

  void OnEvent(const LoggedRequest& request, const LoggedEvent& event, const json::Object& payload) override {
    if (objects_.empty()) first_ = request.record.finished;
    S3Object object = NameObject(settings_, payload, request.record.UnixNs(event.begin));
    if (settings_.prompts_only) {
      json::Object without = payload;
      without["response"] = nullptr;
      object.body = json::Serialize(without);
    } else {
      object.body = json::Serialize(payload);
    }
    bytes_ += object.body.size();
    objects_.push_back(std::move(object));
    if (objects_.size() >= static_cast<size_t>(settings_.batch_size) || bytes_ > kWaitingBytesMax) PutAll();
  }

  void Send(TimePoint now, bool all) override {
    if (objects_.empty()) return;
    if (all || now - first_ >= FromSeconds(settings_.flush_interval_s)) PutAll();
  }

 private:
  void PutAll() {
    std::vector<S3Object> objects = std::exchange(objects_, {});
    bytes_ = 0;
    if (!settings_.batch_file) {
      for (const S3Object& object : objects) Put(object, "application/json", 1);
      return;
    }
    // One file per folder: a flush may cross midnight, and teams may have folders of their own.
    std::map<std::string, std::vector<std::string>> folders;
    for (S3Object& object : objects) {
      const size_t slash = object.key.rfind('/');
      folders[object.key.substr(0, slash == std::string::npos ? 0 : slash + 1)].push_back(std::move(object.body));
    }
    for (const auto& [folder, bodies] : folders) {
      S3Object file;
      file.file_name = fmt::format("batch_{}_{}.jsonl", BatchStamp(UnixNow()), MakeUuid());
      file.key = folder + file.file_name;
      file.body = JoinItems(bodies, "", "\n", "");
      Put(file, "application/x-ndjson", static_cast<uint32_t>(bodies.size()));
    }
  }

  void Put(const S3Object& object, std::string_view content_type, uint32_t records) {
    HttpMessage message;
    message.method = "PUT";
    const std::string base = url_.target == "/" ? "" : url_.target;
    message.target = base + (settings_.bucket_in_host ? "" : "/" + settings_.bucket) + "/" + EncodeKey(object.key);
    message.body = object.body;
    message.records = records;
    HeaderList headers{{"content-type", std::string(content_type)},
                       {"content-md5", Base64(Md5(object.body))},
                       {std::string(kContentHash), Sha256Hex(object.body)},
                       {"content-language", "en"},
                       {"content-disposition", "inline; filename=\"" + object.file_name + "\""},
                       {"cache-control", "private, immutable, max-age=31536000, s-maxage=0"}};
    if (!settings_.encryption.empty()) headers.emplace_back("x-amz-server-side-encryption", settings_.encryption);
    if (!settings_.kms_key_id.empty()) {
      headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", settings_.kms_key_id);
    }
    message.headers = std::move(headers);
    delivery_->Send(std::move(message));
  }

  const config::S3Settings settings_;
  const Url url_;
  std::vector<S3Object> objects_;
  size_t bytes_ = 0;
  TimePoint first_{};
};

}  // namespace

void AddS3Receiver(const SinkContext& context, ReceiverList& receivers) {
  const config::CallbackSettings& settings = context.snapshot->telemetry.callbacks;
  if (!settings.s3) return;
  DeliveryOptions options;
  options.sink = "s3_v2";
  options.parallel = settings.s3->parallel;
  options.timeout = std::chrono::seconds(30);
  options.tls_verify = settings.s3->tls_verify;
  Result<Url> url = ParseUrl(settings.s3->url);
  if (url.ok()) options.sign = SignerOf(*settings.s3, url->host_header);
  auto delivery = DeliveryTo(context, settings.s3->url, std::move(options));
  if (delivery == nullptr || !url.ok()) return;
  receivers.push_back(
      std::make_unique<S3Receiver>(*settings.s3, settings.s3_events, std::move(*url), std::move(delivery)));
}

}  // namespace gw::telemetry
