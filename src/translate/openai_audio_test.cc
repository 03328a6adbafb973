#include <gtest/gtest.h>

#include "base/json.h"
#include "translate/factories.h"

namespace gw::translate {
namespace {

class OpenAiAudio : public testing::Test {
 protected:
  OpenAiAudio() {
    deployment_.provider = "openai";
    deployment_.api_key = "sk-upstream";
    target_.deployment = &deployment_;
    target_.upstream_model = "whisper-large";
  }

  void SetForm(std::string_view extra) {
    text_ = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n"
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n";
    text_.append(extra).append("--b--\r\n");
    auto form = api::ParseFormData("multipart/form-data; boundary=b", text_);
    ASSERT_TRUE(form.ok());
    form_ = std::move(*form);
    request_.endpoint = api::Endpoint::kTranscriptions;
    request_.body = "{}";
    request_.form = &form_;
  }

  static std::string Field(std::string_view name, std::string_view value) {
    return std::string("--b\r\nContent-Disposition: form-data; name=\"").append(name).append("\"\r\n\r\n").append(value) + "\r\n";
  }

  api::FormData Sent() {
    auto built = MakeOpenAiTranscription(request_, target_)->BuildRequest();
    EXPECT_TRUE(built.ok());
    sent_text_ = built->body.Flatten();
    sent_type_ = built->content_type;
    auto form = api::ParseFormData(sent_type_, sent_text_);
    EXPECT_TRUE(form.ok()) << sent_text_;
    return *form;
  }

  Result<std::string> Translate(std::string body, api::Usage* usage = nullptr) {
    body.reserve(body.size() + json::kPadding);
    const auto translator = MakeOpenAiTranscription(request_, target_);
    EXPECT_TRUE(translator->BuildRequest().ok());
    auto out = translator->TranslateBody(body);
    if (usage != nullptr) *usage = translator->usage();
    return out;
  }

  config::Deployment deployment_;
  AttemptTarget target_;
  ClientRequest request_;
  std::string text_, sent_text_, sent_type_;
  api::FormData form_;
};

TEST_F(OpenAiAudio, FormGoesUpstreamWithItsModelExchanged) {
  SetForm(Field("language", "en") + Field("timeout", "3") + Field("stream", "true"));
  const api::FormData sent = Sent();
  EXPECT_EQ(sent.Find("model")->value, "whisper-large");
  EXPECT_EQ(sent.Find("file")->value, "RIFF");
  EXPECT_EQ(sent.Find("file")->filename, "a.wav");
  EXPECT_EQ(sent.Find("language")->value, "en");
  EXPECT_EQ(sent.Find("timeout"), nullptr) << "an order to the gateway";
  EXPECT_EQ(sent.Find("stream"), nullptr);
  EXPECT_EQ(sent.parts.size(), 3u);
}

TEST_F(OpenAiAudio, DefaultsOfTheRowFillInAndOverridesReplace) {
  SetForm(Field("language", "en"));
  deployment_.default_params["language"] = "fr";
  deployment_.default_params["temperature"] = 0.5;
  EXPECT_EQ(Sent().Find("language")->value, "en");
  EXPECT_EQ(Sent().Find("temperature")->value, "0.5");
  json::Object overrides;
  overrides["language"] = "de";
  request_.overrides = &overrides;
  EXPECT_EQ(Sent().Find("language")->value, "de");
  EXPECT_EQ(Sent().parts.size(), 4u);
}

TEST_F(OpenAiAudio, ValuesThatWouldBreakTheFormAreLeftOut) {
  SetForm("");
  deployment_.default_params["prompt"] = "x\r\n--b--\r\n";
  EXPECT_EQ(Sent().Find("prompt"), nullptr);
}

TEST_F(OpenAiAudio, AnswerStaysAsItIsAndTellsItsUsage) {
  SetForm("");
  api::Usage usage;
  const std::string answer =
      R"({"text":"hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"audio_tokens":12},"output_tokens":5}})";
  EXPECT_EQ(*Translate(answer, &usage), answer);
  EXPECT_EQ(usage.prompt_tokens, 14);
  EXPECT_EQ(usage.prompt_audio_tokens, 12);
  EXPECT_EQ(usage.completion_tokens, 5);
  EXPECT_EQ(usage.total_tokens, 19);
  EXPECT_TRUE(Translate(R"({"text":"hi","duration":2.5})", &usage).ok());
  EXPECT_EQ(usage.audio_seconds, 2.5);
  EXPECT_TRUE(Translate(R"({"text":"hi","usage":{"type":"duration","seconds":7}})", &usage).ok());
  EXPECT_EQ(usage.audio_seconds, 7);
}

TEST_F(OpenAiAudio, PlainTextOnlyWhereItWasAskedFor) {
  SetForm("");
  EXPECT_FALSE(Translate("hello").ok());
  EXPECT_FALSE(Translate("").ok());
  SetForm(Field("response_format", "srt"));
  EXPECT_EQ(*Translate("1\n00:00"), "1\n00:00");
}

TEST_F(OpenAiAudio, FormatOfTheRowOrOfAFallbackCountsAsTheClients) {
  SetForm("");
  deployment_.default_params["response_format"] = "text";
  deployment_.default_params["stream"] = true;
  EXPECT_EQ(*Translate("hello"), "hello");
  EXPECT_EQ(Sent().Find("stream"), nullptr);
  SetForm(Field("response_format", "json"));
  EXPECT_FALSE(Translate("hello").ok());
  json::Object overrides;
  overrides["response_format"] = "vtt";
  request_.overrides = &overrides;
  EXPECT_EQ(*Translate("hello"), "hello");
}

TEST_F(OpenAiAudio, SpeechSplicesTheModelAndPassesBytesOn) {
  const std::string body = R"({"model":"tts","input":"hi","voice":"alloy"})" + std::string(json::kPadding, ' ');
  request_.endpoint = api::Endpoint::kSpeech;
  request_.body = std::string_view(body).substr(0, body.size() - json::kPadding);
  const auto translator = MakeOpenAiSpeech(request_, target_);
  auto built = translator->BuildRequest();
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(built->path, "/audio/speech");
  EXPECT_EQ(built->body.Flatten(), R"({"model":"whisper-large","input":"hi","voice":"alloy"})");
  std::string audio("\xff\xfb\0x", 4);
  EXPECT_EQ(*translator->TranslateBody(audio), std::string("\xff\xfb\0x", 4));
  std::string empty;
  EXPECT_FALSE(translator->TranslateBody(empty).ok());
}

}  // namespace
}  // namespace gw::translate
