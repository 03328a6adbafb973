// litellm_settings.s3_callback_params: where request logs go as objects.
#pragma once

#include <optional>
#include <string>

namespace gw::config {

struct S3Settings {
  std::string bucket, region;
  std::string url;  // scheme://host[:port] that is called
  bool bucket_in_host = false;
  std::string access_key, secret_key, session_token;
  std::string path;  // prefix of every key, without trailing slash; may be empty
  bool use_team_prefix = false, use_key_prefix = false;
  bool partition_by_hour = false;
  bool prompts_only = false;   // the answer is left out
  bool batch_file = false;     // one .jsonl per flush
  bool tls_verify = true;
  std::string encryption, kms_key_id;
  int batch_size = 512;
  double flush_interval_s = 10;
  int parallel = 16;
};

class LoadContext;
namespace yaml {
struct Node;
}

// Nothing: what is required is missing, and a finding says so.
[[nodiscard]] std::optional<S3Settings> ReadS3Settings(LoadContext& context, const yaml::Node& litellm_settings);

}  // namespace gw::config
