// AWS Signature Version 4: the headers that make a request ours.
//
// Pure: the time is handed in. Source: AWS, "Create a signed AWS API request".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace gw::telemetry {

struct AwsSigner {
  std::string access_key, secret_key;
  std::string session_token;  // empty: none
  std::string region, service;
};

struct AwsRequest {
  std::string method;
  std::string path;     // percent-encoded, as it is sent
  std::string query;    // "a=b&c": encoded; sorted here
  HeaderList headers;   // all of them are signed; host must be among them
  std::string payload_sha256;  // hex
};

// The headers to add: x-amz-date, x-amz-security-token where there is a token, authorization.
[[nodiscard]] HeaderList SignAws(const AwsSigner& signer, const AwsRequest& request, int64_t unix_s);

// RFC 3986 with '/' kept: how an object's key stands in a path.
[[nodiscard]] std::string EncodeKey(std::string_view key);
[[nodiscard]] std::string Base64(std::string_view bytes);
[[nodiscard]] std::string Md5(std::string_view text);  // 16 raw bytes

}  // namespace gw::telemetry
