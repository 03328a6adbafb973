// Under which key does a payload lie in the bucket?
//
// Pure. compat: <path>/<team>/<key alias>/<day>/time-<time>_<id>.json, at most 1,024 bytes.
#pragma once

#include <cstdint>
#include <string>

#include "base/json_tree.h"
#include "config/s3_settings.h"

namespace gw::telemetry {

struct S3Object {
  std::string key, file_name, body;
};

// Without the body. `begin_unix_ns`: when the call began.
[[nodiscard]] S3Object NameObject(const config::S3Settings& settings, const json::Object& payload,
                                  int64_t begin_unix_ns);
[[nodiscard]] std::string BatchStamp(int64_t unix_s);  // "15-11-43"

}  // namespace gw::telemetry
