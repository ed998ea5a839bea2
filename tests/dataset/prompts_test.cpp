#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/file.hpp>
#include <espalier/dataset/prompts.hpp>
#include <functional>

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> names{"pug", "great_pyrenees"};

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string texts_error(std::string_view json) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("prompts_test_" + std::to_string(::getpid()) + ".json");
  write_file(file, json);
  std::string error = error_of([&] { (void)read_class_texts(file, names); });
  std::filesystem::remove(file);
  return error;
}

TEST(PromptsTest, PutNamesIntoTemplates) {
  const auto texts = class_texts(names, prompt_templates("oxford_pets"));
  EXPECT_THAT(texts, ElementsAre(ElementsAre("a photo of a pug, a type of pet."),
                                 ElementsAre("a photo of a great pyrenees, a type of pet.")));
  EXPECT_EQ(class_texts(names, prompt_templates("general"))[1].size(), 7u);
  EXPECT_TRUE(prompt_templates("unknown").empty());
}

TEST(PromptsTest, EveryPublishedTemplateHasAPlaceForTheName) {
  for (const std::string& set : prompt_template_names()) {
    EXPECT_EQ(class_texts(names, prompt_templates(set)).size(), 2u) << set;
  }
}

TEST(PromptsTest, NameEveryWrongTemplate) {
  const std::vector<std::string> wrong{"a photo", "{} and {}", "a {}"};
  EXPECT_THAT(error_of([&] { (void)class_texts(names, wrong); }),
              AllOf(HasSubstr("has no {}"), HasSubstr("has {} twice")));
  EXPECT_THAT(error_of([&] { (void)class_texts(names, {}); }), HasSubstr("no prompt template"));
}

TEST(PromptsTest, ReadDescriptionsByClassName) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("prompts_test_" + std::to_string(::getpid()) + ".json");
  write_file(file, R"({"Great Pyrenees": ["white", "large"], "pug": "small", "cat": [1]})");
  EXPECT_THAT(read_class_texts(file, names),
              ElementsAre(ElementsAre("small"), ElementsAre("white", "large")));
  std::filesystem::remove(file);
}

TEST(PromptsTest, PutPhrasesIntoTemplates) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("phrases_test_" + std::to_string(::getpid()) + ".json");
  write_file(file, R"({"pug": ["a {class} face", "short legs"], "great pyrenees": "long hair"})");
  const auto texts = [&](const std::string& text) { return read_class_phrases(file, names, text); };
  EXPECT_THAT(texts("a photo of a {class}, which has {phrase}."),
              ElementsAre(ElementsAre("a photo of a pug, which has a {class} face.",
                                      "a photo of a pug, which has short legs."),
                          ElementsAre("a photo of a great pyrenees, which has long hair.")));
  EXPECT_EQ(texts("{phrase}: {class}")[0][1], "short legs: pug");
  for (const char* wrong : {"a {class}", "a {phrase}", "{class} {class} {phrase}", "{}"}) {
    EXPECT_THAT(error_of([&] { (void)texts(wrong); }), HasSubstr("{class} and {phrase} once each"));
  }
  std::filesystem::remove(file);
}

TEST(PromptsTest, NameEveryClassWithoutDescription) {
  EXPECT_THAT(texts_error(R"({"pugs": ["small"]})"),
              AllOf(HasSubstr("\"pug\""), HasSubstr("\"pugs\""), HasSubstr("\"great_pyrenees\"")));
  EXPECT_THAT(texts_error(R"({"pug": [], "great pyrenees": [7]})"),
              AllOf(HasSubstr("\"pug\""), HasSubstr("no sentences")));
  EXPECT_THAT(texts_error("[]"), HasSubstr("\"pug\""));
  EXPECT_THAT(texts_error("{"), HasSubstr("JSON"));
}

}  // namespace
}  // namespace espalier
