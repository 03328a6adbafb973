// Which string is signed, and with which key?
#include "telemetry/sigv4.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <vector>

#include "base/strings.h"

namespace gw::telemetry {
namespace {

std::string Hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
}

// Spaces at the ends go, runs of them inside become one.
std::string Squeezed(std::string_view value) {
  std::string out;
  for (const char c : Trim(value)) {
    if (c != ' ' || !out.ends_with(' ')) out += c;
  }
  return out;
}

std::string SortedQuery(std::string_view query) {
  if (query.empty()) return "";
  std::vector<std::string> parts;
  for (const std::string_view part : Split(query, '&')) {
    parts.emplace_back(part);
    if (part.find('=') == std::string_view::npos) parts.back() += '=';
  }
  std::sort(parts.begin(), parts.end());
  return fmt::format("{}", fmt::join(parts, "&"));
}

}  // namespace

HeaderList SignAws(const AwsSigner& signer, const AwsRequest& request, int64_t unix_s) {
  const std::tm utc = fmt::gmtime(static_cast<std::time_t>(unix_s));
  const std::string stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", utc);
  const std::string day = stamp.substr(0, 8);
  HeaderList added{{"x-amz-date", stamp}};
  if (!signer.session_token.empty()) added.emplace_back("x-amz-security-token", signer.session_token);

  std::map<std::string, std::string> headers;
  for (const auto* list : {&request.headers, static_cast<const HeaderList*>(&added)}) {
    for (const auto& [name, value] : *list) headers[ToLower(name)] = Squeezed(value);
  }
  std::string canonical_headers, signed_names;
  for (const auto& [name, value] : headers) {
    canonical_headers += name + ":" + value + "\n";
    if (!signed_names.empty()) signed_names += ';';
    signed_names += name;
  }
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path,
                                            SortedQuery(request.query), canonical_headers, signed_names,
                                            request.payload_sha256);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, signer.region, signer.service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp, scope, Sha256Hex(canonical));
  std::string key = Hmac("AWS4" + signer.secret_key, day);
  key = Hmac(key, signer.region);
  key = Hmac(key, signer.service);
  key = Hmac(key, "aws4_request");
  added.emplace_back("authorization",
                     fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", signer.access_key,
                                 scope, signed_names, Hex(Hmac(key, to_sign))));
  return added;
}

std::string EncodeKey(std::string_view key) {
  std::string out;
  for (const char c : key) {
    const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '_' || c == '.' || c == '~' || c == '/';
    if (is_plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string Base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::string Md5(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), out.data(), &size, EVP_md5(), nullptr);
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace gw::telemetry
