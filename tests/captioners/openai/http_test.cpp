// Where pictures and keys go.
#include "captioners/openai/http.hpp"

#include <espalier/caption/caption_set.hpp>

#include "openai_case.hpp"

namespace espalier::openai {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(OpenAiCaption, FollowsNoRedirect) {
  for (const int status : {301, 302, 303, 307, 308}) {
    EXPECT_THAT(refusal_of("redirect-" + std::to_string(status)),
                AllOf(HasSubstr("sends elsewhere"), HasSubstr(elsewhere_->origin())));
  }
  EXPECT_EQ(log_of(*elsewhere_).at("requests"), 0);
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
                    Not(HasSubstr(secret_key)), Not(HasSubstr("Bearer"))));
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

}  // namespace
}  // namespace espalier::openai
