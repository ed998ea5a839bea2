// What a server is asked.
#include "captioners/openai/body.hpp"

#include <espalier/core/file.hpp>
#include <espalier/image/resize.hpp>
#include <filesystem>

#include "openai_case.hpp"

namespace espalier::openai {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(OpenAiCaption, AsksInTheCommonSubset) {
  (void)ask("echo");
  const Json body = last_body();
  EXPECT_EQ(body.at("temperature"), 0.0);
  EXPECT_EQ(body.at("top_p"), 1.0);
  EXPECT_EQ(body.at("seed"), 7);
  EXPECT_EQ(body.at("max_tokens"), 512);
  EXPECT_EQ(body.at("stream"), false);
  EXPECT_EQ(body.at("pictures"), 1);
  EXPECT_TRUE(body.at("expect").is_null());
  EXPECT_THAT(body.at("text").get<std::string>(),
              AllOf(HasSubstr("this photo"), HasSubstr("at most 40 words"), Not(HasSubstr("{"))));
}

TEST_F(OpenAiCaption, AddsTheBodyThatIsGivenLast) {
  Params made = params("echo");
  made.extra_body = R"({"seed": 99, "reasoning_effort": "none", "nested": {"a": [1]}})";
  (void)client(made).ask(request_for(1), never);
  EXPECT_EQ(last_body().at("seed"), 99);
  EXPECT_EQ(last_body().at("reasoning_effort"), "none");
  EXPECT_EQ(last_body().at("nested"), Json::parse(R"({"a": [1]})"));
  made.extra_body = "[1]";
  EXPECT_THAT(error_of([&] { (void)client(made); }), HasSubstr("captioner.extra_body"));
}

TEST_F(OpenAiCaption, SendsLargePicturesSmallerAndWithoutWaitingToBeToldTo) {
  CaptionRequest request = request_for(1);
  request.image = [] {
    Random random(std::uint64_t{1});
    Image image{.width = 3000, .height = 2000, .rgb = std::vector<std::uint8_t>(18'000'000)};
    for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(random.below(256));
    return image;
  };
  Params made = params("echo");
  made.max_side = 0;  // 8 MB of noise: libcurl would ask first, with Expect: 100-continue
  EXPECT_EQ(client(made).ask(request, never).answer, Answer::ok);
  EXPECT_TRUE(last_body().at("expect").is_null());
  made.max_side = 300;
  const AnsweredCaption small = client(made).ask(request, never);
  EXPECT_EQ(small.text,
            "a picture with the hash " +
                hex(sha256(encode_jpeg(resize(request.image(), 300, 200, Filter::bicubic))))
                    .substr(0, 16));
}

TEST_F(OpenAiCaption, LearnsWhatTheServerDoesNotTake) {
  Client one = client(params("400-max-tokens"));
  EXPECT_EQ(one.ask(request_for(1), never).source, "openai plain (max_completion_tokens)");
  EXPECT_EQ(last_body().at("max_completion_tokens"), 512);
  EXPECT_FALSE(last_body().contains("max_tokens"));
  EXPECT_EQ(one.ask(request_for(2), never).tries, 1);  // for the rest of the run

  EXPECT_EQ(ask("400-temperature").source, "openai plain (no temperature)");
  EXPECT_FALSE(last_body().contains("temperature"));
  EXPECT_EQ(ask("400-seed").text, caption_of(1));
}

TEST_F(OpenAiCaption, GetsMoreRoomOnceWhereReasoningTookIt) {
  const AnsweredCaption caption = ask("exhausted-once");
  EXPECT_EQ(caption.text, caption_of(1));
  EXPECT_EQ(caption.tries, 2);
  EXPECT_EQ(last_body().at("max_tokens"), 2048);
  EXPECT_EQ(last_body().at("reasoning_effort"), "none");
  EXPECT_EQ(last_body().at("chat_template_kwargs"), Json({{"enable_thinking", false}}));
  EXPECT_EQ(ask("length-empty").tries, 2);
}

TEST_F(OpenAiCaption, OfRandomWordsIsAskedWithoutThePicture) {
  Params made = params("echo");
  made.prompt = "random";
  (void)client(made).ask(request_for(1), never);
  const Json first = last_body();
  EXPECT_EQ(first.at("pictures"), 0);
  CaptionRequest other = request_for(1);
  other.id = "other.jpg";
  (void)client(made).ask(other, never);
  EXPECT_NE(last_body().at("text"), first.at("text"));
}

TEST_F(OpenAiCaption, PromptsHoldNoLabelAndMayComeFromAFile) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("prompt_" + std::to_string(::getpid()));
  write_file(file, "Say what this {subject} shows in {words} words.");
  Params made = params("echo");
  made.prompt = "file";
  made.prompt_file.text = file.string();
  made.subject = "photo of a flower";
  made.words = 12;
  const AnsweredCaption caption = client(made).ask(request_for(1), never);
  EXPECT_EQ(last_body().at("text"), "Say what this photo of a flower shows in 12 words.");
  EXPECT_THAT(caption.source, StartsWith("openai file "));
  write_file(file, " \n");
  EXPECT_THAT(error_of([&] { (void)client(made); }), HasSubstr("holds no text"));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace espalier::openai
