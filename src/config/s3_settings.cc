// Where do request logs go as S3 objects, and with which credentials?
#include "config/s3_settings.h"

#include <algorithm>

#include "base/strings.h"
#include "config/load_context.h"
#include "config/receiver_values.h"
#include "config/value_reader.h"

namespace gw::config {
namespace {

constexpr std::string_view kPath = "litellm_settings.s3_callback_params";
// Credentials that LiteLLM would fetch by itself; here they have to be given.
constexpr std::string_view kFetched[] = {"s3_aws_role_name", "s3_aws_profile_name", "s3_aws_web_identity_token",
                                         "s3_aws_sts_endpoint", "s3_aws_session_name"};
constexpr std::string_view kNoEffect[] = {"s3_api_version", "s3_use_ssl", "s3_config", "s3_adaptive_concurrency",
                                          "s3_max_adaptive_concurrency", "s3_max_queue_size",
                                          "s3_max_retry_age_seconds", "s3_drop_on_terminal_error"};

std::string Text(const yaml::Node& params, std::string_view key) {
  return std::string(Trim(ReadText(params, key).value_or("")));
}

// The host that an AWS region's objects lie at.
std::string AwsHost(const S3Settings& s3) {
  const char* suffix = s3.region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return s3.bucket + ".s3." + s3.region + "." + suffix;
}

void ReadAddress(const yaml::Node& params, S3Settings& out) {
  std::string endpoint = Text(params, "s3_endpoint_url");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  out.bucket_in_host = ReadBool(params, "s3_use_virtual_hosted_style").value_or(false);
  if (endpoint.empty()) {
    out.bucket_in_host = true;
    out.url = "https://" + AwsHost(out);
  } else if (const size_t scheme = endpoint.find("://"); out.bucket_in_host && scheme != std::string::npos) {
    out.url = endpoint.substr(0, scheme + 3) + out.bucket + "." + endpoint.substr(scheme + 3);
  } else {
    out.url = endpoint;
  }
}

// Those of the parameters come as a pair; else the variables that every AWS tool reads.
void ReadCredentials(LoadContext& context, const yaml::Node& params, S3Settings& out) {
  out.access_key = Text(params, "s3_aws_access_key_id");
  out.secret_key = Text(params, "s3_aws_secret_access_key");
  out.session_token = Text(params, "s3_aws_session_token");
  if (!out.access_key.empty() || !out.secret_key.empty()) return;
  out.access_key = Trim(context.env.FirstOf("AWS_ACCESS_KEY_ID").value_or(""));
  out.secret_key = Trim(context.env.FirstOf("AWS_SECRET_ACCESS_KEY").value_or(""));
  out.session_token = Trim(context.env.FirstOf("AWS_SESSION_TOKEN").value_or(""));
}

void ReadEncryption(const yaml::Node& params, S3Settings& out) {
  out.encryption = Text(params, "s3_server_side_encryption");
  out.kms_key_id = Text(params, "s3_sse_kms_key_id");
  if (out.encryption.empty() && !out.kms_key_id.empty()) out.encryption = "aws:kms";
  if (!out.encryption.starts_with("aws:kms")) out.kms_key_id.clear();
}

// The field that cannot stand in a request's address or head; empty: none.
std::string_view Unusable(const S3Settings& s3) {
  const auto is_host = [](std::string_view text) {
    return text.find_first_of("/ ?#%@:\\") == std::string_view::npos && !HasControlCharacter(text);
  };
  if (!is_host(s3.bucket)) return "s3_bucket_name";
  if (!is_host(s3.region)) return "s3_region_name";
  if (!IsUsableAddress(s3.url)) return "s3_endpoint_url";
  if (HasControlCharacter(s3.access_key)) return "s3_aws_access_key_id (or AWS_ACCESS_KEY_ID)";
  if (HasControlCharacter(s3.session_token)) return "s3_aws_session_token (or AWS_SESSION_TOKEN)";
  if (HasControlCharacter(s3.encryption)) return "s3_server_side_encryption";
  if (HasControlCharacter(s3.kms_key_id)) return "s3_sse_kms_key_id";
  return "";
}

std::string_view Missing(const S3Settings& s3) {
  if (s3.bucket.empty()) return "s3_bucket_name";
  if (s3.region.empty()) return "s3_region_name (or AWS_REGION)";
  if (s3.access_key.empty()) return "s3_aws_access_key_id (or AWS_ACCESS_KEY_ID)";
  if (s3.secret_key.empty()) return "s3_aws_secret_access_key (or AWS_SECRET_ACCESS_KEY)";
  return "";
}

void ReadPace(LoadContext& context, const yaml::Node& params, S3Settings& out) {
  const auto positive = [](std::optional<int64_t> value, int64_t most, int fallback) {
    return value && *value > 0 ? static_cast<int>(std::min(*value, most)) : fallback;
  };
  const auto number = [&](std::string_view key, std::string_view variable) {
    const auto value = ReadInt(params, key);
    return value ? value : EnvInt(context, variable);
  };
  out.batch_size = positive(number("s3_batch_size", "DEFAULT_S3_BATCH_SIZE"), 100'000, out.batch_size);
  out.parallel = positive(number("s3_max_concurrent_uploads", "DEFAULT_S3_MAX_CONCURRENT_UPLOADS"), 64, out.parallel);
  const auto interval = ReadNumber(params, "s3_flush_interval");
  const auto seconds = interval ? interval : EnvNumber(context, "DEFAULT_S3_FLUSH_INTERVAL_SECONDS");
  if (seconds && *seconds > 0) out.flush_interval_s = std::min(*seconds, 3600.0);
}

}  // namespace

std::optional<S3Settings> ReadS3Settings(LoadContext& context, const yaml::Node& litellm_settings) {
  const yaml::Node& params = SectionOf(litellm_settings, "s3_callback_params");
  S3Settings out;
  out.bucket = Text(params, "s3_bucket_name");
  out.region = Text(params, "s3_region_name");
  if (out.region.empty()) out.region = Trim(context.env.FirstOf("AWS_REGION_NAME,AWS_REGION,AWS_DEFAULT_REGION").value_or(""));
  ReadAddress(params, out);
  ReadCredentials(context, params, out);
  for (const std::string_view key : kFetched) {
    if (params.Find(key) == nullptr) continue;
    context.Add(Severity::kWarning, KeyStatus::kNotSupportedYet, params.place, Join(kPath, key),
                "accepted but not implemented: give an access key and its secret");
  }
  for (const std::string_view key : kNoEffect) {
    if (params.Find(key) == nullptr) continue;
    context.Add(Severity::kInfo, KeyStatus::kIgnored, params.place, Join(kPath, key), "no effect here");
  }
  if (const std::string_view missing = Missing(out); !missing.empty()) {
    context.Error(params.place, kPath, std::string(missing) + " is not set: nothing is written to S3");
    return std::nullopt;
  }
  out.path = Text(params, "s3_path");
  while (out.path.ends_with('/')) out.path.pop_back();
  SetIf(ReadBool(params, "s3_use_team_prefix"), out.use_team_prefix);
  SetIf(ReadBool(params, "s3_use_key_prefix"), out.use_key_prefix);
  SetIf(ReadBool(params, "s3_verify"), out.tls_verify);
  SetIf(ReadBool(params, "s3_batch_file_upload"), out.batch_file);
  out.prompts_only = ReadBool(params, "s3_log_prompts_only").value_or(context.env.IsTrue("S3_LOG_PROMPTS_ONLY"));
  const std::string partition = ReadString(params, "s3_partition_granularity")
                                    .value_or(context.env.Get("S3_PARTITION_GRANULARITY").value_or("day"));
  out.partition_by_hour = partition == "hour";
  ReadEncryption(params, out);
  if (const std::string_view field = Unusable(out); !field.empty()) {
    context.Error(params.place, Join(kPath, field), "cannot be used in a request: nothing is written to S3");
    return std::nullopt;
  }
  ReadPace(context, params, out);
  return out;
}

}  // namespace gw::config
