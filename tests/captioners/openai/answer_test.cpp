// What a server answered, and its class.
#include "captioners/openai/answer.hpp"

#include "openai_case.hpp"

namespace espalier::openai {
namespace {

using testing::HasSubstr;

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

TEST_F(OpenAiCaption, OfAttributesIsTheirWords) {
  Params made = params("json");
  made.prompt = "attributes";
  const AnsweredCaption caption = client(made).ask(request_for(1), never);
  EXPECT_EQ(caption.text, "colours: red, white; petals: 5; shape: round");
  EXPECT_EQ(caption.source, "openai attributes");
  made.model = "echo";
  EXPECT_EQ(client(made).ask(request_for(1), never).answer, Answer::malformed);
}

}  // namespace
}  // namespace espalier::openai
