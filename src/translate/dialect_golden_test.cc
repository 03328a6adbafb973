// Every file of tests/golden/translate-ollama and -anthropic: a client's request, the request that
// must reach the upstream, the upstream's answer and what the client must read. Request bodies and
// answers were captured from LiteLLM and its upstreams; `to_client` is our rendering of them.
// GW_UPDATE_GOLDEN=1 rewrites `to_client`.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "translate/dialect_test_support.h"

namespace gw::translate {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> GoldenFiles() {
  std::vector<fs::path> files;
  for (const char* folder : {"translate-ollama", "translate-anthropic"}) {
    for (const auto& entry :
         fs::directory_iterator(fs::path(GW_SOURCE_DIR) / "tests/golden" / folder)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

json::Object ReadCase(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  auto tree = json::ParseTree(text.str());
  EXPECT_TRUE(tree && tree->is_object()) << file;
  return tree && tree->is_object() ? tree->get_object() : json::Object();
}

api::Endpoint EndpointOf(std::string_view name) {
  if (name == "messages") return api::Endpoint::kMessages;
  if (name == "completions") return api::Endpoint::kCompletions;
  return name == "embeddings" ? api::Endpoint::kEmbeddings : api::Endpoint::kChat;
}

class Golden : public testing::TestWithParam<fs::path> {
 protected:
  Golden()
      : case_(ReadCase(GetParam())),
        attempt_(json::GetString(case_, "provider"), json::GetString(case_, "upstream_model"),
                 json::Serialize(*json::Get(case_, "client")),
                 EndpointOf(json::GetString(case_, "endpoint"))) {
    attempt_.deployment.api_key = json::GetString(case_, "api_key");
    attempt_.shown_model = json::GetString(case_, "shown_model");
    attempt_.target.shown_model = attempt_.shown_model;
    if (const json::Value* drop = json::Get(case_, "drop_params")) {
      attempt_.target.drop_params = drop->as_bool();
    }
  }

  json::Object case_;
  DialectAttempt attempt_;
};

TEST_P(Golden, RequestIsTheExpectedOne) {
  auto translator = attempt_.Make();  // pieces of the body may lie in it
  auto built = translator->BuildRequest();
  if (const int64_t status = json::GetInt(case_, "refused", 0); status != 0) {
    ASSERT_FALSE(built.ok());
    EXPECT_EQ(built.error().status, status);
    return;
  }
  ASSERT_TRUE(built.ok()) << built.error().message;
  const json::Value* expected = json::Get(case_, "upstream");
  if (expected == nullptr) return;
  const json::Object& wanted = expected->get_object();
  EXPECT_EQ(built->path, json::GetString(wanted, "path"));
  const std::string text = built->body.Flatten();
  auto body = json::ParseTree(text);
  ASSERT_TRUE(body) << text;
  json::Value want = *json::Get(wanted, "body");
  // Saying stream:false or leaving it out means the same, except to Ollama.
  if (attempt_.deployment.provider.starts_with("ollama")) {
    EXPECT_EQ(*body, want) << text << "\n" << json::Serialize(want);
  } else {
    body->get_object().erase("stream");
    want.get_object().erase("stream");
    EXPECT_EQ(*body, want) << text << "\n" << json::Serialize(want);
  }
  std::map<std::string, std::string> headers(built->headers.begin(), built->headers.end());
  std::map<std::string, std::string> want_headers;
  for (const auto& header : json::Get(wanted, "headers")->get_object()) {
    want_headers[std::string(header.key())] = json::GetString(
        json::Get(wanted, "headers")->get_object(), {header.key().data(), header.key().size()});
  }
  EXPECT_EQ(headers, want_headers);
}

TEST_P(Golden, AnswerIsTheSameHoweverTheStreamIsCut) {
  const json::Value* answer = json::Get(case_, "answer");
  if (answer == nullptr) return;
  const std::string upstream(json::GetString(case_, "answer"));
  const std::string got = WithoutMadeIds(
      attempt_.request.stream ? attempt_.Stream({upstream}) : attempt_.Answer(upstream));
  if (std::getenv("GW_UPDATE_GOLDEN") != nullptr) {
    case_["to_client"] = got;
    std::ofstream(GetParam()) << json::Serialize(case_) << "\n";
  }
  EXPECT_EQ(got, json::GetString(case_, "to_client"));
  if (!attempt_.request.stream) return;
  for (size_t cut = 1; cut < upstream.size(); ++cut) {
    const std::string_view all = upstream;
    ASSERT_EQ(WithoutMadeIds(attempt_.Stream({all.substr(0, cut), all.substr(cut)})), got)
        << "cut at " << cut;
  }
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < upstream.size(); ++i) bytes.push_back(std::string_view(upstream).substr(i, 1));
  EXPECT_EQ(WithoutMadeIds(attempt_.Stream(bytes)), got);
}

std::string CaseName(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Dialects, Golden, testing::ValuesIn(GoldenFiles()), CaseName);

}  // namespace
}  // namespace gw::translate
