#include "auth/authenticator.h"

#include <gtest/gtest.h>

#include <map>

namespace gw::auth {
namespace {

using api::RouteId;
using HeaderMap = std::map<std::string, std::string, std::less<>>;

constexpr const char* kKey = "sk-master-0123456789";

config::Snapshot WithKey() {
  config::Snapshot snapshot;
  snapshot.general.master_key = kKey;
  return snapshot;
}

Result<Identity> Try(const config::Snapshot& snapshot, const HeaderMap& headers) {
  const Authenticator authenticator(snapshot);
  return authenticator.Authenticate([&headers](std::string_view name) -> std::string_view {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  });
}

std::string Bearer(std::string_view key) { return "Bearer " + std::string(key); }

TEST(Authenticator, MasterKeyIsTakenFromEveryHeaderThatMayCarryIt) {
  const std::string raw = kKey;
  for (const HeaderMap& headers :
       std::initializer_list<HeaderMap>{{{"authorization", Bearer(kKey)}},
                                        {{"authorization", "bearer " + raw}},
                                        {{"x-api-key", raw}},
                                        {{"api-key", raw}},
                                        {{"x-goog-api-key", raw}},
                                        {{"ocp-apim-subscription-key", raw}},
                                        {{"x-litellm-api-key", raw}},
                                        {{"x-litellm-api-key", Bearer(kKey)}},
                                        {{"x-api-key", Bearer(kKey)}}}) {
    const auto verdict = Try(WithKey(), headers);
    ASSERT_TRUE(verdict.ok()) << headers.begin()->first;
    EXPECT_EQ(verdict.value().hashed_api_key, "litellm_proxy_master_key");
    EXPECT_EQ(verdict.value().user, "default_user_id");
    EXPECT_TRUE(verdict.value().is_admin);
  }
}

struct Refusal {
  const char* name;
  HeaderMap headers;
  const char* message;
};

class AuthenticatorRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(AuthenticatorRefusal, Is401AuthError) {
  const auto verdict = Try(WithKey(), GetParam().headers);
  ASSERT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.error().status, 401);
  EXPECT_EQ(verdict.error().type, "auth_error");
  EXPECT_EQ(verdict.error().param, "");
  EXPECT_EQ(verdict.error().cls, ErrorClass::kProxy);
  EXPECT_EQ(verdict.error().source, ErrorSource::kDownstream);
  EXPECT_EQ(verdict.error().message, GetParam().message);
}

constexpr const char* kNone = "Authentication Error, No api key passed in.";
constexpr const char* kMalformed =
    "Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.";
constexpr const char* kWrong = "Authentication Error, Invalid API key provided.";

INSTANTIATE_TEST_SUITE_P(
    All, AuthenticatorRefusal,
    testing::Values(
        Refusal{"none", {}, kNone}, Refusal{"no_scheme", {{"authorization", kKey}}, kMalformed},
        Refusal{"bearer_alone", {{"authorization", "Bearer"}}, kMalformed},
        Refusal{"bearer_alone_elsewhere", {{"x-litellm-api-key", "Bearer"}}, kMalformed},
        Refusal{"two_spaces", {{"authorization", "Bearer  sk-master-0123456789"}}, kWrong},
        Refusal{"basic", {{"authorization", "Basic dXNlcjpwYXNz"}}, kWrong},
        Refusal{"wrong", {{"authorization", "Bearer sk-nope"}}, kWrong},
        Refusal{"prefix_of_the_key", {{"authorization", "Bearer sk-master-012345678"}}, kWrong},
        Refusal{"longer_than_the_key", {{"authorization", "Bearer sk-master-0123456789x"}}, kWrong},
        Refusal{"wrong_before_right",
                {{"authorization", "Bearer sk-nope"}, {"x-api-key", kKey}},
                kWrong},
        Refusal{
            "own_header_outranks",
            {{"x-litellm-api-key", "sk-nope"}, {"authorization", "Bearer sk-master-0123456789"}},
            kWrong}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Authenticator, RefusalNeverRepeatsTheKeyThatWasSent) {
  const auto verdict = Try(WithKey(), {{"authorization", "Bearer sk-someone-elses-secret"}});
  ASSERT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.error().message.find("secret"), std::string::npos);
}

TEST(Authenticator, AuthorizationOutranksTheVendorHeaders) {
  EXPECT_TRUE(Try(WithKey(), {{"authorization", Bearer(kKey)}, {"x-api-key", "sk-nope"}}).ok());
}

TEST(Authenticator, ConfiguredHeaderIsReadWhateverItsCase) {
  config::Snapshot snapshot = WithKey();
  snapshot.general.litellm_key_header_name = " X-Gateway-Key ";
  EXPECT_TRUE(
      Try(snapshot, {{"x-gateway-key", kKey}, {"authorization", "Bearer of-the-upstream"}}).ok());
  EXPECT_TRUE(Try(snapshot, {{"authorization", Bearer(kKey)}}).ok());
  EXPECT_FALSE(Try(snapshot, {{"x-gateway-key", "sk-nope"}, {"authorization", Bearer(kKey)}}).ok());
}

TEST(Authenticator, WithoutMasterKeyEverybodyIsAdministratorWithoutLabels) {
  const config::Snapshot open;
  for (const HeaderMap& headers :
       std::initializer_list<HeaderMap>{{}, {{"authorization", "Bearer anything"}}}) {
    const auto verdict = Try(open, headers);
    ASSERT_TRUE(verdict.ok());
    EXPECT_TRUE(verdict.value().is_admin);
    EXPECT_EQ(verdict.value().hashed_api_key, "");
  }
}

TEST(Authenticator, ProbesAndPagesArePublic) {
  const Authenticator authenticator(WithKey());
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kLiveness, "/health/liveliness"));
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kReadiness, "/health/readiness"));
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kRoot, "/"));
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kRoutes, "/routes"));
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kTest, "/test"));
}

TEST(Authenticator, EverythingElseNeedsTheKey) {
  const Authenticator authenticator(WithKey());
  for (const api::RouteRow& row : api::AllRoutes()) {
    switch (row.id) {
      case RouteId::kLiveness:
      case RouteId::kReadiness:
      case RouteId::kRoot:
      case RouteId::kRoutes:
      case RouteId::kTest:
      case RouteId::kMetrics:
        continue;
      default:
        EXPECT_TRUE(authenticator.NeedsKey(row.id, row.path)) << row.path;
    }
  }
}

TEST(Authenticator, MetricsAreOpenUnlessClosedBySetting) {
  config::Snapshot snapshot = WithKey();
  EXPECT_FALSE(Authenticator(snapshot).NeedsKey(RouteId::kMetrics, "/metrics/"));
  snapshot.metrics.require_auth = true;
  EXPECT_TRUE(Authenticator(snapshot).NeedsKey(RouteId::kMetrics, "/metrics/"));
}

TEST(Authenticator, PublicRoutesOfTheConfigurationMayHoldStars) {
  config::Snapshot snapshot = WithKey();
  snapshot.general.public_routes = {"/v1/models", "/health*"};
  const Authenticator authenticator(snapshot);
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kModels, "/v1/models"));
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kHealth, "/health"));
  EXPECT_FALSE(authenticator.NeedsKey(RouteId::kBacklog, "/health/backlog"));
  EXPECT_TRUE(authenticator.NeedsKey(RouteId::kModels, "/models"));
  EXPECT_TRUE(authenticator.NeedsKey(RouteId::kChat, "/v1/chat/completions"));
}

}  // namespace
}  // namespace gw::auth
