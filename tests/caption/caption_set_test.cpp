#include <espalier/caption/caption_set.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;

CaptionRecord record(std::string id, std::string text, Answer answer = Answer::ok) {
  CaptionRecord made{.id = std::move(id), .caption = {std::move(text), "openai plain"}};
  made.caption.answer = answer;
  return made;
}

template <class Function>
std::string error_in(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::string refusal_of(std::string_view lines) {
  const std::string head = R"({"about": {}, "format": "espalier captions", "version": 1})";
  return error_in([&] { (void)CaptionSet::parse(head + "\n" + std::string(lines), "x.jsonl"); });
}

TEST(CaptionSet, IsSortedAndComesBackAsItWas) {
  CaptionRecord full = record("b", "a \"red\" rose \u00e9\n");
  full.image = std::string(64, 'a');
  full.seconds = 1.25;
  full.caption.model = "m";
  full.caption.fingerprint = "fp";
  full.caption.prompt_tokens = 812;
  full.caption.tokens = 9;
  full.caption.tries = 2;
  full.more = {{"reviewer", "ann"}};
  CaptionRecord failed = record("a", "", Answer::refused);
  failed.caption.note = "no";
  const CaptionSet set({{"captioner", {{"use", "openai"}}}}, {full, failed}, "set");
  EXPECT_EQ(set.records()[0].id, "a");

  const CaptionSet again = CaptionSet::parse(set.text(), "set");
  EXPECT_EQ(again.text(), set.text());
  EXPECT_EQ(again.digest(), set.digest());
  EXPECT_EQ(again.about(), set.about());
  const CaptionRecord& b = *again.find("b");
  EXPECT_EQ(to_json(b), to_json(full));
  EXPECT_EQ(b.caption.text, full.caption.text);
  EXPECT_EQ(b.more, full.more);
  EXPECT_EQ(again.find("a")->caption.answer, Answer::refused);
  EXPECT_EQ(again.find("a")->caption.note, "no");
  EXPECT_EQ(again.find("c"), nullptr);
}

TEST(CaptionSet, LineIsAsDocumented) {
  EXPECT_EQ(to_json(record("a", "x")).dump(),
            R"({"answer":"ok","fingerprint":"","id":"a","image":"","model":"","prompt_tokens":0,)"
            R"("seconds":0.0,"source":"openai plain","text":"x","tokens":0,"tries":1})");
}

TEST(CaptionSet, HashesPixelsAsDocumented) {
  Image image{.width = 3, .height = 1, .rgb = {0, 1, 2, 3, 4, 5, 6, 7, 8}};
  // hashlib.sha256(b"3 1\n" + bytes(range(9))).hexdigest()
  EXPECT_EQ(picture_hash(image),
            "be7d5845deec64e053899cdae8fdfd72b1d46d22dd6453116dd51ca0055dddd9");
  std::swap(image.width, image.height);
  EXPECT_NE(picture_hash(image), picture_hash({.width = 3, .height = 1, .rgb = image.rgb}));
}

TEST(CaptionSet, EveryAnswerHasItsName) {
  for (int i = 0; i <= static_cast<int>(Answer::dropped); ++i) {
    EXPECT_EQ(answer_named(to_string(static_cast<Answer>(i))), static_cast<Answer>(i));
  }
  EXPECT_EQ(answer_named("fine"), std::nullopt);
}

TEST(CaptionSet, NamesEveryMistakeWithItsLine) {
  EXPECT_THAT(refusal_of("{\"id\": \"a\", \"text\": \"x\", \"answer\": \"ok\"}\n"
                         "{\"id\": \"b\", \"text\": 3, \"answer\": \"fine\"}\n"
                         "[1]\nno json\n"),
              AllOf(HasSubstr("x.jsonl:3"), HasSubstr("\"text\""), HasSubstr("\"answer\""),
                    HasSubstr("x.jsonl:4"), HasSubstr("no object"), HasSubstr("x.jsonl:5")));
  const std::string twice = R"({"id": "a", "text": "x", "answer": "ok"})";
  EXPECT_THAT(refusal_of(twice + "\n" + twice), HasSubstr("two captions"));
  EXPECT_THAT(refusal_of(R"({"id": "", "text": "x", "answer": "ok"})"), HasSubstr("no picture"));
  EXPECT_THAT(refusal_of(R"({"id": "a", "text": "", "answer": "ok"})"), HasSubstr("is empty"));
  EXPECT_THAT(refusal_of(R"({"id": "a", "text": "x", "answer": "refused"})"),
              HasSubstr("`refused` has a text"));
  EXPECT_THAT(refusal_of(R"({"id": "a", "text": "x\u0000", "answer": "ok"})"), HasSubstr("NUL"));
  EXPECT_THAT(refusal_of(R"({"id": "a", "text": "x", "answer": "ok", "tries": -1})"),
              HasSubstr("\"tries\""));
  EXPECT_THAT(refusal_of("{\"id\": \"a\", \"answer\": \"ok\", \"text\": \"" +
                         std::string(1'000'000, 'x') + "\"}"),
              HasSubstr("longer than 8192"));
  EXPECT_THAT(refusal_of("{\"id\": \"a\", \"answer\": \"ok\", \"text\": \"\xff\"}"),
              HasSubstr("UTF-8"));
}

TEST(CaptionSet, OfAnotherVersionIsNotRead) {
  const std::string newer = R"({"about": {}, "format": "espalier captions", "version": 2})";
  EXPECT_TRUE(CaptionSet::is_set(newer));
  EXPECT_THAT(error_in([&] { (void)CaptionSet::parse(newer, "x"); }), HasSubstr("version"));
  EXPECT_FALSE(CaptionSet::is_set(R"({"a.jpg": "a rose"})"));
  EXPECT_FALSE(CaptionSet::is_set("id,text\n"));
}

// Found by tools/fuzz/fuzz_caption_journal.
TEST(CaptionSet, RefusesAFirstLineThatIsNone) {
  for (const char* text : {"", "\n", "{\"about\": \xff}\n", "[]\n", "{\"format\": \"other\"}\n"}) {
    EXPECT_THROW(static_cast<void>(CaptionSet::parse(text, "test")), Error) << text;
  }
}

}  // namespace
}  // namespace espalier
