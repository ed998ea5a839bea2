// How long a server is borne with.
#include "captioners/openai/client.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <tuple>

#include "openai_case.hpp"

namespace espalier::openai {
namespace {

using testing::AllOf;
using testing::HasSubstr;

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

TEST_F(OpenAiCaption, OfASilentServerIsGivenUpInTime) {
  for (const char* model : {"never", "trickle"}) {
    Params made = params(model);
    made.timeout = made.first_timeout = 0.3;
    const AnsweredCaption caption = client(made).ask(request_for(1), never);
    EXPECT_EQ(caption.answer, Answer::http_error) << model;
    EXPECT_EQ(caption.tries, 2) << model;
    EXPECT_THAT(caption.note, HasSubstr("no answer within 0.3")) << model;
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

}  // namespace
}  // namespace espalier::openai
