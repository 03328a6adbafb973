// Every file of tests/golden/translate-openai is one exchange: what the client sent, what the
// upstream must receive, what it answered, what the client must see. INTERTIE_UPDATE_GOLDEN=1
// rewrites the two expectations; read the difference before you keep it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "translate/openai_test_support.h"

namespace gw::translate {
namespace {

namespace fs = std::filesystem;

struct Exchange {
  std::string head;  // "chat openai ok [stream] [usage]"
  std::string client_request, upstream_request, upstream_answer, client_answer;
};

constexpr std::pair<std::string_view, std::string Exchange::*> kSections[] = {
    {"--- client request\n", &Exchange::client_request},
    {"--- upstream request\n", &Exchange::upstream_request},
    {"--- upstream answer\n", &Exchange::upstream_answer},
    {"--- client answer\n", &Exchange::client_answer},
};

Exchange Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Exchange exchange;
  size_t end = text.find('\n');
  exchange.head = text.substr(0, end);
  for (size_t i = 0; i < std::size(kSections); ++i) {
    const size_t begin = text.find(kSections[i].first) + kSections[i].first.size();
    end = i + 1 < std::size(kSections) ? text.find(kSections[i + 1].first, begin) : text.size();
    // The line feed before the next section is the file's, not the message's.
    exchange.*kSections[i].second = text.substr(begin, end - begin - 1);
  }
  return exchange;
}

void Write(const fs::path& path, const Exchange& exchange) {
  std::ofstream file(path, std::ios::binary);
  file << exchange.head << '\n';
  for (const auto& [title, member] : kSections) file << title << exchange.*member << '\n';
}

std::string ShowRequest(const Attempt& attempt) {
  auto built = attempt.Make()->BuildRequest();
  if (!built) return "error: " + built.error().message;
  std::string shown = "POST " + built->path + "\n";
  for (const auto& [name, value] : built->headers) shown += name + ": " + value + "\n";
  return shown + "\n" + built->body.Flatten();
}

std::vector<fs::path> GoldenFiles() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(GW_SOURCE_DIR "/tests/golden/translate-openai"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

class OpenAiGolden : public testing::TestWithParam<fs::path> {};

TEST_P(OpenAiGolden, Exchange) {
  const Exchange golden = Read(GetParam());
  std::istringstream head(golden.head);
  std::string endpoint, provider, model, flag;
  head >> endpoint >> provider >> model;
  Attempt attempt(provider, model, golden.client_request,
                  endpoint == "chat"          ? api::Endpoint::kChat
                  : endpoint == "completions" ? api::Endpoint::kCompletions
                                              : api::Endpoint::kEmbeddings);
  while (head >> flag) {
    if (flag == "stream") attempt.request.stream = true;
    if (flag == "usage") attempt.request.include_usage = true;
    if (flag == "drop") attempt.target.drop_params = true;
  }
  const std::string& upstream = golden.upstream_answer;
  Exchange actual = golden;
  actual.upstream_request = ShowRequest(attempt);
  actual.client_answer = attempt.request.stream ? RunStream(*attempt.Make(), {upstream})
                                                : attempt.Answer(upstream);
  if (std::getenv("INTERTIE_UPDATE_GOLDEN") != nullptr) return Write(GetParam(), actual);
  EXPECT_EQ(actual.upstream_request, golden.upstream_request);
  EXPECT_EQ(actual.client_answer, golden.client_answer);
  if (!attempt.request.stream) return;

  // Wherever the upstream's bytes are cut, the client sees the same.
  const std::string_view whole = upstream;
  std::vector<std::string_view> bytes;
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    bytes.push_back(whole.substr(cut, 1));
    ASSERT_EQ(RunStream(*attempt.Make(), {whole.substr(0, cut), whole.substr(cut)}),
              golden.client_answer)
        << "cut at " << cut;
  }
  EXPECT_EQ(RunStream(*attempt.Make(), bytes), golden.client_answer);
}

std::string TestName(const testing::TestParamInfo<fs::path>& file) {
  std::string name = file.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, OpenAiGolden, testing::ValuesIn(GoldenFiles()), TestName);

}  // namespace
}  // namespace gw::translate
