// Published vectors: AWS's Signature Version 4 test suite and the examples of the S3 documentation.
#include "telemetry/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"

namespace gw::telemetry {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr int64_t kSuiteTime = 1440938160;  // 20150830T123600Z
constexpr int64_t kS3Time = 1369353600;     // 20130524T000000Z
const AwsSigner kSuite{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "us-east-1", "service"};
const AwsSigner kS3{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "us-east-1", "s3"};

std::string Authorization(const AwsSigner& signer, const AwsRequest& request, int64_t at) {
  for (const auto& [name, value] : SignAws(signer, request, at)) {
    if (name == "authorization") return value;
  }
  return "";
}

AwsRequest Suite(std::string method, std::string query = "") {
  return {std::move(method), "/", std::move(query), {{"Host", "example.amazonaws.com"}}, Sha256Hex("")};
}

TEST(SigV4, VectorsOfTheTestSuite) {
  EXPECT_EQ(Authorization(kSuite, Suite("GET"), kSuiteTime),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_THAT(Authorization(kSuite, Suite("POST"), kSuiteTime),
              EndsWith("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"));
  EXPECT_THAT(Authorization(kSuite, Suite("GET", "Param2=value2&Param1=value1"), kSuiteTime),
              EndsWith("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"));
}

TEST(SigV4, ExamplesOfTheS3Documentation) {
  AwsRequest put{"PUT", "/" + EncodeKey("test$file.text"), "",
                 {{"Host", "examplebucket.s3.amazonaws.com"},
                  {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                  {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                  {"x-amz-content-sha256", Sha256Hex("Welcome to Amazon S3.")}},
                 Sha256Hex("Welcome to Amazon S3.")};
  EXPECT_THAT(Authorization(kS3, put, kS3Time),
              EndsWith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
  AwsRequest list{"GET", "/", "max-keys=2&prefix=J",
                  {{"Host", "examplebucket.s3.amazonaws.com"}, {"x-amz-content-sha256", Sha256Hex("")}}, Sha256Hex("")};
  EXPECT_THAT(Authorization(kS3, list, kS3Time),
              EndsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4, ASessionTokenIsSentAndSigned) {
  AwsSigner signer = kSuite;
  signer.session_token = "token";
  const HeaderList added = SignAws(signer, Suite("GET"), kSuiteTime);
  EXPECT_THAT(added, testing::Contains(testing::Pair("x-amz-security-token", "token")));
  EXPECT_THAT(Authorization(signer, Suite("GET"), kSuiteTime),
              HasSubstr("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
}

TEST(SigV4, KeysAreEncodedOnceAndSlashesStay) {
  EXPECT_EQ(EncodeKey("a b/c+d=e~\xC3\xA4"), "a%20b/c%2Bd%3De~%C3%A4");
  EXPECT_EQ(Base64(Md5("")), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(Base64("ab"), "YWI=");
}

}  // namespace
}  // namespace gw::telemetry
