// Is the schema table consistent, and is the reference page made from it?
#include "config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/document.h"
#include "config/loader.h"
#include "config/yaml_parser.h"

namespace gw::config {
namespace {

constexpr Section kSections[] = {Section::kTop,
                                 Section::kModelRow,
                                 Section::kLitellmParams,
                                 Section::kRequestParams,
                                 Section::kModelInfo,
                                 Section::kCredential,
                                 Section::kRouterSettings,
                                 Section::kLitellmSettings,
                                 Section::kCacheParams,
                                 Section::kRetryPolicy,
                                 Section::kAllowedFailsPolicy,
                                 Section::kGeneralSettings,
                                 Section::kEnvironment};

yaml::Node NodeOf(std::string_view text) { return yaml::Parse(text).root; }

TEST(Schema, EveryKeyStandsOnceInItsSectionAndIsExplained) {
  for (const Section section : kSections) {
    std::set<std::string_view> seen;
    EXPECT_FALSE(SchemaOf(section).empty());
    for (const KeySpec& row : SchemaOf(section)) {
      EXPECT_TRUE(seen.insert(row.key).second) << row.key;
      EXPECT_EQ(row.section, section) << row.key;
      EXPECT_TRUE(row.doc.ends_with('.')) << row.key;
    }
  }
}

// A split section would lose its second part.
TEST(Schema, SectionsOfATableStandTogether) {
  size_t rows = 0;
  for (const Section section : kSections) rows += SchemaOf(section).size();
  EXPECT_EQ(rows, ModelSchemaRows().size() + LitellmSettingsSchemaRows().size() + CacheSchemaRows().size() +
                      RouterSettingsSchemaRows().size() + GeneralSettingsSchemaRows().size() +
                      EnvironmentSchemaRows().size());
}

TEST(Schema, ReferencePageIsUpToDate) {
  const std::string path = std::string(GW_SOURCE_DIR) + "/docs/config-reference.md";
  if (std::getenv("GW_UPDATE_GOLDEN") != nullptr) {
    FILE* file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    const std::string text = ConfigReferenceMarkdown();
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  EXPECT_EQ(ReadFile(path).value_or(""), ConfigReferenceMarkdown())
      << "run this test with GW_UPDATE_GOLDEN=1";
}

TEST(Schema, ExactKeysWinOverPatterns) {
  EXPECT_EQ(FindKey(Section::kLitellmParams, "input_cost_per_token")->status,
            KeyStatus::kEffective);
  EXPECT_EQ(FindKey(Section::kLitellmParams, "input_cost_per_token_above_128k_tokens")->status,
            KeyStatus::kNotSupportedYet);
  EXPECT_NE(FindKey(Section::kLitellmParams, "aws_region_name"), nullptr);
  EXPECT_EQ(FindKey(Section::kLitellmParams, "top_k_special"), nullptr);
}

TEST(Schema, NearestKeyIsOfferedOnlyWhenNear) {
  EXPECT_EQ(NearestKey(Section::kRouterSettings, "num_retrys"), "num_retries");
  EXPECT_EQ(NearestKey(Section::kLitellmParams, "rmp"), "rpm");
  EXPECT_EQ(NearestKey(Section::kLitellmSettings, "Drop_Param"), "drop_params");
  EXPECT_EQ(NearestKey(Section::kGeneralSettings, "something_else_entirely"), "");
}

TEST(Schema, TypesTakeTextOfTheEnvironmentToo) {
  EXPECT_TRUE(FitsType(ValueType::kNumber, NodeOf("'1e-05'")));
  EXPECT_TRUE(FitsType(ValueType::kInt, NodeOf("12.0")));
  EXPECT_TRUE(FitsType(ValueType::kBool, NodeOf("'True'")));
  EXPECT_TRUE(FitsType(ValueType::kString, NodeOf("~")));
  EXPECT_FALSE(FitsType(ValueType::kInt, NodeOf("1.5")));
  EXPECT_FALSE(FitsType(ValueType::kInt, NodeOf("true")));
  EXPECT_FALSE(FitsType(ValueType::kNumber, NodeOf(".inf")));
  EXPECT_FALSE(FitsType(ValueType::kBool, NodeOf("1")));
  EXPECT_FALSE(FitsType(ValueType::kString, NodeOf("12")));
  EXPECT_FALSE(FitsType(ValueType::kStringList, NodeOf("[a, 1]")));
}

TEST(Schema, SecretsAreNotShown) {
  EXPECT_EQ(Shown(NodeOf("abc"), "timeout"), "\"abc\"");
  EXPECT_EQ(Shown(NodeOf("abc"), "api_key"), "a string (not shown)");
  EXPECT_TRUE(IsSecretKey("aws_secret_access_key"));
  EXPECT_TRUE(IsSecretKey("Authorization"));
  EXPECT_TRUE(IsSecretKey("azure_ad_token"));
  EXPECT_FALSE(IsSecretKey("max_tokens"));
  EXPECT_FALSE(IsSecretKey("input_cost_per_token"));
  EXPECT_FALSE(IsSecretKey("litellm_credential_name"));
}

}  // namespace
}  // namespace gw::config
