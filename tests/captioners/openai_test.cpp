// captioner/openai against tools/vision_stub, and against answers that no server gave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "captioners/openai/answer.hpp"
#include "captioners/openai/client.hpp"
#include "captioners/openai/jpeg.hpp"
#include <atomic>
#include <chrono>
#include <espalier/caption/caption_set.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/image/resize.hpp>
#include <future>
#include <sstream>
#include <thread>
#include <tuple>

#include "plugins/plugin_support.hpp"
#include "vision_stub.hpp"

namespace espalier::openai {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::error_of;
using testing_support::VisionStub;

constexpr const char* key = "sk-very-secret-4711";

Image picture(int shade) {
  Image image{.width = 40, .height = 30, .rgb = {}};
  image.rgb.assign(3 * 40 * 30, static_cast<std::uint8_t>(shade));
  for (std::size_t i = 0; i < 300; ++i) image.rgb[i] = static_cast<std::uint8_t>(i);
  return image;
}

CaptionRequest request_for(int number) {
  CaptionRequest request;
  request.id = "some.jpg";
  request.image = [number] { return picture(number); };
  request.random = Random(std::uint64_t(number));
  return request;
}

bool never() { return false; }

// What the stub says of a picture that is sent as it is.
std::string caption_of(int number) {
  return "a picture with the hash " + hex(sha256(encode_jpeg(picture(number)))).substr(0, 16);
}

class OpenAiCaption : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!VisionStub::can_run()) return;
    ::setenv("ESPALIER_STUB_KEY", key, 1);
    elsewhere_ = std::make_unique<VisionStub>();
    stub_ = std::make_unique<VisionStub>(elsewhere_->origin());
  }
  static void TearDownTestSuite() {
    stub_.reset();
    elsewhere_.reset();
  }
  void SetUp() override {
    if (!stub_) GTEST_SKIP() << "there is no python3 to run tools/vision_stub";
  }

  static Params params(const std::string& model) {
    Params made;
    made.base_url = stub_->url();
    made.model = model;
    made.key_env = "ESPALIER_STUB_KEY";
    return made;
  }
  static Patience quick() { return {.first_wait = 0.01, .failures_in_a_row = 100}; }

  Client client(Params made, Patience patience = quick()) {
    return {std::move(made), patience, log_};
  }
  AnsweredCaption ask(const std::string& model, int number = 1) {
    Client one = client(params(model));
    return one.ask(request_for(number), never);
  }
  std::string refusal_of(const std::string& model) {
    return error_of([&] { (void)ask(model); });
  }
  static Json log_of(const VisionStub& stub) {
    HttpClient http("", "");
    return parse_json(http.send({.url = stub.origin() + "/stub/log", .body = {}}).body, "log");
  }
  static Json last_body() { return log_of(*stub_).at("bodies").back(); }
  static int requests() { return log_of(*stub_).at("requests"); }

  static inline std::unique_ptr<VisionStub> stub_;
  static inline std::unique_ptr<VisionStub> elsewhere_;
  std::ostringstream said_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said_)};
};

TEST_F(OpenAiCaption, IsWhatTheServerSaysOfThisPicture) {
  const AnsweredCaption caption = ask("echo");
  EXPECT_EQ(caption.text, caption_of(1));
  EXPECT_EQ(caption.answer, Answer::ok);
  EXPECT_EQ(caption.source, "openai plain");
  EXPECT_EQ(caption.model, "echo-2026");
  EXPECT_EQ(caption.fingerprint, "fp_stub");
  EXPECT_EQ(caption.prompt_tokens, 100);
  EXPECT_EQ(caption.tokens, 7);
  EXPECT_EQ(caption.tries, 1);
  EXPECT_EQ(ask("echo", 2).text, caption_of(2));
  EXPECT_EQ(ask("parts").text, caption_of(1));
}

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

struct Passing {
  const char* model;
  int tries;
};

TEST_F(OpenAiCaption, OutlastsWhatPasses) {
  for (const auto& [model, tries] : {Passing{"429-seconds", 2},
                                     {"429-date", 2},
                                     {"429-ms", 2},
                                     {"429-zero", 2},
                                     {"429-none", 2},
                                     {"500-once", 2},
                                     {"502-once", 2},
                                     {"503-once", 2},
                                     {"retry-wanted", 2},
                                     {"close-once", 2},
                                     {"mid-body-once", 2},
                                     {"loading", 4}}) {
    const AnsweredCaption caption = ask(model);
    EXPECT_EQ(caption.text, caption_of(1)) << model;
    EXPECT_EQ(caption.tries, tries) << model;
  }
  EXPECT_THAT(said_.str(), HasSubstr("asking again in"));
}

TEST_F(OpenAiCaption, WaitsAsLongAsTheServerAsks) {
  using Clock = std::chrono::steady_clock;
  for (const auto& [model, least, most] :
       {std::tuple("429-seconds", 0.3, 2.0), {"429-ms", 0.3, 2.0}, {"429-date", 0.0, 4.0}}) {
    const auto begin = Clock::now();
    (void)ask(model, 50);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    EXPECT_GE(seconds, least) << model;
    EXPECT_LE(seconds, most) << model;
  }
}

TEST_F(OpenAiCaption, GivesAPictureUpWhereTheServerGoesOnSo) {
  const int before = requests();
  const AnsweredCaption caption = ask("429-forever");
  EXPECT_EQ(caption.answer, Answer::http_error);
  EXPECT_EQ(caption.text, "");
  EXPECT_EQ(caption.note, "HTTP 429: slow down");
  EXPECT_EQ(caption.tries, 6);
  EXPECT_EQ(requests() - before, 6);
  EXPECT_EQ(ask("close").answer, Answer::http_error);
  EXPECT_EQ(ask("mid-body").tries, 6);
}

TEST_F(OpenAiCaption, StopsAfterManyFailuresInARowAndQuotesTheLast) {
  Client one = client(params("400"), {.first_wait = 0.01, .failures_in_a_row = 3});
  EXPECT_EQ(one.ask(request_for(1), never).answer, Answer::http_error);
  EXPECT_EQ(one.ask(request_for(2), never).answer, Answer::http_error);
  EXPECT_THAT(error_of([&] { (void)one.ask(request_for(3), never); }),
              AllOf(HasSubstr("3 pictures in a row got no caption"),
                    HasSubstr("http_error: HTTP 400: the context is exceeded")));
}

TEST_F(OpenAiCaption, IsNotAskedForAgainWhereThatWouldNotHelp) {
  for (const auto& [model, note] : {std::pair("400", "HTTP 400: the context is exceeded"),
                                    {"400-flat", "HTTP 400: At most 1 image(s)"},
                                    {"400-text", "HTTP 400: no such thing"},
                                    {"413", "HTTP 413: too large"},
                                    {"422", "HTTP 422: unprocessable"},
                                    {"no-retry-wanted", "HTTP 500: do not come again"}}) {
    const AnsweredCaption caption = ask(model);
    EXPECT_EQ(caption.answer, Answer::http_error) << model;
    EXPECT_EQ(caption.note, note);
    EXPECT_EQ(caption.tries, 1) << model;
  }
}

TEST_F(OpenAiCaption, EndsAllWhereNoPictureWouldFareBetter) {
  EXPECT_THAT(refusal_of("401"), AllOf(HasSubstr("does not let you in"), HasSubstr("Incorrect"),
                                       HasSubstr("ESPALIER_STUB_KEY")));
  EXPECT_THAT(refusal_of("403"), HasSubstr("not in your country"));
  EXPECT_THAT(refusal_of("404"), AllOf(HasSubstr("one of echo, slow"), HasSubstr("pulling")));
  EXPECT_THAT(refusal_of("no-vision"),
              AllOf(HasSubstr("takes no pictures"), HasSubstr("--mmproj")));
  EXPECT_THAT(refusal_of("quota"), HasSubstr("no credit left"));
  EXPECT_THAT(refusal_of("429-long"), AllOf(HasSubstr("longer than is waited"), HasSubstr("9999")));
  Params nobody = params("echo");
  nobody.base_url = "http://127.0.0.1:1/v1";
  EXPECT_THAT(error_of([&] { (void)client(nobody).ask(request_for(1), never); }),
              HasSubstr("no server can be reached"));
}

TEST_F(OpenAiCaption, FollowsNoRedirect) {
  for (const int status : {301, 302, 303, 307, 308}) {
    EXPECT_THAT(refusal_of("redirect-" + std::to_string(status)),
                AllOf(HasSubstr("sends elsewhere"), HasSubstr(elsewhere_->origin())));
  }
  EXPECT_EQ(log_of(*elsewhere_).at("requests"), 0);
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

struct Classified {
  const char* model;
  Answer answer;
  const char* note;
};

TEST_F(OpenAiCaption, HasTheClassOfItsAnswer) {
  for (const auto& [model, answer, note] :
       {Classified{"length-empty", Answer::exhausted, "all the room went here"},
        {"length-null", Answer::exhausted, ""},
        {"length-think", Answer::exhausted, "<think>all the room"},
        {"refusal", Answer::refused, "I cannot help with that."},
        {"apology", Answer::refused, "I'm sorry, but I can't describe this."},
        {"content-filter", Answer::refused, "content_filter"},
        {"empty", Answer::empty, ""},
        {"reasoning-only", Answer::empty, "it is redit is red"},
        {"think-open", Answer::thinking_leak, "<think>hm, it is red"},
        {"no-choices", Answer::malformed, "the answer has no message"},
        {"error-200", Answer::malformed, "the model crashed"},
        {"nul", Answer::malformed, "a text with a NUL or of more than 8192 bytes"},
        {"long", Answer::malformed, "a text with a NUL or of more than 8192 bytes"},
        {"huge", Answer::malformed, "an answer of more than 4 MB"}}) {
    const AnsweredCaption caption = ask(model);
    EXPECT_EQ(to_string(caption.answer), to_string(answer)) << model;
    EXPECT_EQ(caption.text, "") << model;
    EXPECT_EQ(caption.note, note) << model;
  }
  EXPECT_EQ(ask("not-utf8").answer, Answer::malformed);
  EXPECT_EQ(ask("no-json").answer, Answer::malformed);
  EXPECT_EQ(ask("length").answer, Answer::truncated);
  EXPECT_EQ(ask("length").text, caption_of(1) + " and then");
}

TEST_F(OpenAiCaption, LeavesTheReasoningOut) {
  for (const char* model : {"reasoning", "think", "think-end"}) {
    EXPECT_EQ(ask(model).text, caption_of(1)) << model;
  }
  EXPECT_THAT(ask("script").text, HasSubstr("<script>"));  // data, whoever shows it escapes it
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

TEST_F(OpenAiCaption, OfASilentServerIsGivenUpInTime) {
  for (const char* model : {"never", "trickle"}) {
    Params made = params(model);
    made.timeout = made.first_timeout = 0.3;
    const AnsweredCaption caption = client(made).ask(request_for(1), never);
    EXPECT_EQ(caption.answer, Answer::http_error) << model;
    EXPECT_EQ(caption.tries, 2) << model;
    EXPECT_THAT(caption.note, HasSubstr("imeout")) << model;
  }
}

TEST_F(OpenAiCaption, IsGivenUpWhenThatIsAsked) {
  CaptionRequest request = request_for(1);
  std::atomic<bool> stop = false;
  Client one = client(params("never"));
  auto ended = std::async(std::launch::async, [&] {
    return error_of([&] { (void)one.ask(request, [&] { return stop.load(); }); });
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  stop = true;
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(ended.get(), "stopped");
}

TEST_F(OpenAiCaption, GoesOnWhereAnIdleConnectionWasClosed) {
  Client one = client(params("idle-close"));
  EXPECT_EQ(one.ask(request_for(1), never).tries, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_EQ(one.ask(request_for(2), never).tries, 1);
}

TEST_F(OpenAiCaption, OfManyAtOnceBelongsToItsPicture) {
  const VisionStub stub;
  Params made = params("slow");
  made.base_url = stub.url();
  made.concurrency = 6;
  Client one = client(made);
  std::vector<std::string> texts(60);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 10; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < 60; i += 10)
        texts[std::size_t(i)] = one.ask(request_for(100 + i), never).text;
    });
  }
  threads.clear();
  for (int i = 0; i < 60; ++i) EXPECT_EQ(texts[std::size_t(i)], caption_of(100 + i));
  const int most = log_of(stub).at("most_in_flight");
  EXPECT_GE(most, 2);
  EXPECT_LE(most, 6);
}

TEST_F(OpenAiCaption, OfAttributesIsTheirWords) {
  Params made = params("json");
  made.prompt = "attributes";
  const AnsweredCaption caption = client(made).ask(request_for(1), never);
  EXPECT_EQ(caption.text, "colours: red, white; petals: 5; shape: round");
  EXPECT_EQ(caption.source, "openai attributes");
  made.model = "echo";
  EXPECT_EQ(client(made).ask(request_for(1), never).answer, Answer::malformed);
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

TEST_F(OpenAiCaption, KeepsTheKeyToItself) {
  std::string seen;
  for (const char* model : {"401", "429-none", "redirect-302", "404", "tells-key-401"}) {
    seen += refusal_of(model);
  }
  for (const char* model : {"echo", "close", "tells-key", "tells-key-429"}) {
    seen += to_json({.id = "a", .caption = ask(model)}).dump();
  }
  seen += said_.str();
  EXPECT_THAT(seen,
              AllOf(HasSubstr("does not let you in"), HasSubstr("asking again"),
                    HasSubstr("the key *** is not for this"), HasSubstr("the key *** is wrong"),
                    Not(HasSubstr(key)), Not(HasSubstr("Bearer"))));
}

TEST_F(OpenAiCaption, NamesTheVariableThatLacksItsKey) {
  Params made = params("echo");
  made.key_env = "ESPALIER_NO_SUCH_KEY";
  EXPECT_THAT(error_of([&] { client(made).require_key(); }), HasSubstr("ESPALIER_NO_SUCH_KEY"));
  made.key_env = "";
  EXPECT_THAT(error_of([&] { (void)client(made).ask(request_for(1), never); }),
              HasSubstr("captioner.key_env=NAME"));
  ::setenv("ESPALIER_BROKEN_KEY", "a\r\nX-Evil: 1", 1);
  made.key_env = "ESPALIER_BROKEN_KEY";
  const std::string text = error_of([&] { (void)client(made).ask(request_for(1), never); });
  EXPECT_THAT(text, AllOf(HasSubstr("line break"), Not(HasSubstr("Evil"))));
}

TEST_F(OpenAiCaption, TakesNoAddressWithAPassword) {
  for (const char* url : {"http://me:sesame@127.0.0.1/v1", "http://127.0.0.1/v1?key=sesame",
                          "ftp://127.0.0.1/v1", "file:///etc/passwd", "127 0"}) {
    Params made = params("echo");
    made.base_url = url;
    EXPECT_THAT(error_of([&] { (void)client(made); }),
                AllOf(HasSubstr("captioner.base_url"), Not(HasSubstr("sesame"))))
        << url;
  }
  EXPECT_EQ(checked_url("http://localhost:8080/v1/"), "http://localhost:8080/v1");
}

TEST_F(OpenAiCaption, AsksLoopbackWithoutTheProxy) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_EQ(ask("echo").text, caption_of(1));
  ::unsetenv("http_proxy");
}

TEST(OpenAiTraffic, GrowsByOneAndShrinksByHalf) {
  Traffic traffic(5);
  const auto clean = [&](int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(traffic.enter(never));
      traffic.leave_clean();
    }
  };
  EXPECT_EQ(traffic.room(), 2);
  clean(19);
  EXPECT_EQ(traffic.room(), 2);
  clean(1);
  EXPECT_EQ(traffic.room(), 3);
  clean(100);
  EXPECT_EQ(traffic.room(), 5);
  ASSERT_TRUE(traffic.enter(never));
  traffic.leave_overloaded();
  EXPECT_EQ(traffic.room(), 2);
  ASSERT_TRUE(traffic.enter(never));
  traffic.leave_overloaded();
  ASSERT_TRUE(traffic.enter(never));
  traffic.leave_overloaded();
  EXPECT_EQ(traffic.room(), 1);
  EXPECT_EQ(Traffic(1).room(), 1);
}

TEST(OpenAiTraffic, HoldsEverybodyBack) {
  Traffic traffic(4);
  const auto until = Traffic::Clock::now() + std::chrono::milliseconds(150);
  traffic.hold_until(until);
  ASSERT_TRUE(traffic.enter([] { return false; }));
  EXPECT_GE(Traffic::Clock::now(), until);
  traffic.hold_until(Traffic::Clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(traffic.enter([] { return true; }));
}

TEST(OpenAiTraffic, ReadsEveryFormOfAWait) {
  const auto wait = [](std::map<std::string, std::string> headers) {
    HttpAnswer answer;
    answer.headers = std::move(headers);
    return asked_wait(answer, 1445412480);  // Wed, 21 Oct 2015 07:28:00 GMT
  };
  EXPECT_EQ(wait({{"retry-after", "3"}}), 3.0);
  EXPECT_EQ(wait({{"retry-after", "0.25"}}), 0.25);
  EXPECT_EQ(wait({{"retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"}}), 30.0);
  EXPECT_EQ(wait({{"retry-after", "Wed, 21 Oct 2015 07:00:00 GMT"}}), 0.0);
  EXPECT_EQ(wait({{"retry-after-ms", "1500"}, {"retry-after", "9"}}), 1.5);
  EXPECT_EQ(wait({{"retry-after", "soon"}}), std::nullopt);
  EXPECT_EQ(wait({{"retry-after", "-1"}}), std::nullopt);
  EXPECT_EQ(wait({}), std::nullopt);
}

}  // namespace
}  // namespace espalier::openai
