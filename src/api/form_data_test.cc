#include "api/form_data.h"

#include <gtest/gtest.h>

#include <string>

namespace gw::api {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=XyZ";

std::string Body(std::initializer_list<std::string_view> parts) {
  std::string body;
  for (const std::string_view part : parts) body.append("--XyZ\r\n").append(part).append("\r\n");
  return body + "--XyZ--\r\n";
}

constexpr std::string_view kModel = "Content-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1";
constexpr std::string_view kFile =
    "Content-Disposition: form-data; name=\"file\"; filename=\"a;b.wav\"\r\nContent-Type: audio/wav\r\n\r\nRI\r\nFF--XyZ";

TEST(FormData, ReadsPartsAsViews) {
  const std::string body = Body({kModel, kFile});
  auto form = ParseFormData(kType, body);
  ASSERT_TRUE(form.ok()) << form.error().message;
  ASSERT_EQ(form->parts.size(), 2u);
  EXPECT_EQ(form->Find("model")->value, "whisper-1");
  EXPECT_FALSE(form->Find("model")->is_file);
  const FormPart& file = *form->Find("file");
  EXPECT_EQ(file.value, "RI\r\nFF--XyZ") << "a boundary counts only at the begin of a line";
  EXPECT_EQ(file.filename, "a;b.wav");
  EXPECT_TRUE(file.is_file);
  EXPECT_EQ(form->Find("other"), nullptr);
  EXPECT_GE(file.value.data(), body.data());
}

TEST(FormData, RawPartsPutTogetherAreTheBodyAgain) {
  const std::string body = Body({kModel, kFile, kModel});
  auto form = ParseFormData(kType, body);
  ASSERT_TRUE(form.ok());
  std::string again;
  for (const FormPart& part : form->parts) again.append(part.raw).append("\r\n");
  EXPECT_EQ(again + "--XyZ--\r\n", body);
}

TEST(FormData, QuotedBoundaryEmptyValuesAndEmptyForm) {
  const std::string empty_value = Body({"Content-Disposition: form-data; name=language\r\n\r\n"});
  auto form = ParseFormData("Multipart/Form-Data; charset=utf-8; boundary=\"XyZ\"", empty_value);
  ASSERT_TRUE(form.ok()) << form.error().message;
  EXPECT_EQ(form->Find("language")->value, "");
  auto none = ParseFormData(kType, "--XyZ--");
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->parts.empty());
}

TEST(FormData, LastOfOneNameCounts) {
  const std::string body = Body({kModel, "Content-Disposition: form-data; name=\"model\"\r\n\r\nother"});
  auto form = ParseFormData(kType, body);
  ASSERT_TRUE(form.ok());
  EXPECT_EQ(form->Find("model")->value, "other");
}

TEST(FormData, RefusesWhatIsNoForm) {
  const std::string good = Body({kModel});
  EXPECT_FALSE(ParseFormData("application/json", good).ok());
  EXPECT_FALSE(ParseFormData("multipart/form-data", good).ok());
  EXPECT_FALSE(ParseFormData("multipart/form-data; boundary=other", good).ok());
  EXPECT_FALSE(ParseFormData("multipart/form-data; boundary=" + std::string(71, 'b'), good).ok());
  EXPECT_FALSE(ParseFormData(kType, Body({"Content-Type: text/plain\r\n\r\nx"})).ok()) << "no name";
  EXPECT_FALSE(ParseFormData(kType, Body({"Content-Disposition form-data\r\n\r\nx"})).ok());
  EXPECT_FALSE(ParseFormData(kType, "").ok());
  EXPECT_FALSE(ParseFormData(kType, "--XyZtail\r\n").ok());
}

TEST(FormData, RefusesNamesThatReadersCouldReadDifferently) {
  const std::string_view name = "Content-Disposition: form-data; name=\"model\"\r\n";
  const std::string_view other = "Content-Disposition: form-data; name=\"x\"\r\n";
  EXPECT_FALSE(ParseFormData(kType, Body({std::string(name).append(other) + "\r\nv"})).ok());
  EXPECT_FALSE(ParseFormData(kType, Body({"Content-Disposition: form-data; name=\"x\"; name=\"model\"\r\n\r\nv"})).ok());
  EXPECT_FALSE(ParseFormData(kType, Body({"X: a\nContent-Disposition: form-data; name=\"model\"\r\n\r\nv"})).ok());
  EXPECT_FALSE(ParseFormData(kType, Body({"Content-Disposition: form-data; name=\"a\\\"; b\"\r\n\r\nv"})).ok());
  EXPECT_FALSE(ParseFormData(kType, Body({"Content-Disposition: form-data; name=\"model\r\n\r\nv"})).ok());
  EXPECT_FALSE(ParseFormData("multipart/form-data; boundary=a; boundary=XyZ", Body({kModel})).ok());
  const std::string body = Body({"Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n"});
  auto empty_file = ParseFormData(kType, body);
  ASSERT_TRUE(empty_file.ok());
  EXPECT_TRUE(empty_file->Find("file")->is_file);
}

TEST(FormData, EveryCutIsRefused) {
  const std::string body = Body({kModel, kFile});
  const size_t whole = body.size() - 2;  // the last CRLF is a courtesy
  for (size_t size = 0; size < whole; ++size) {
    const std::string cut = body.substr(0, size);
    EXPECT_FALSE(ParseFormData(kType, cut).ok()) << size;
  }
}

TEST(FormData, PartsAreBounded) {
  std::string body;
  for (int i = 0; i < 100; ++i) body.append("--XyZ\r\n").append(kModel).append("\r\n");
  auto form = ParseFormData(kType, body + "--XyZ--");
  ASSERT_FALSE(form.ok());
  EXPECT_EQ(form.error().status, 400);
  EXPECT_EQ(form.error().param, "request_body");
}

}  // namespace
}  // namespace gw::api
