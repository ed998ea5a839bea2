#include <espalier/caption/class_names.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/caption/leakage.hpp>
#include <espalier/core/error.hpp>
#include <fstream>

#include "caption/caption_case.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> pets{"american_bulldog", "bombay", "russian blue", "great blue"};

TEST(ClassNames, EqualPythons) {
  const testing_support::CaptionCase reference;
  for (std::size_t i = 0; i < reference.texts.size(); ++i) {
    EXPECT_EQ(reference.names.named(reference.texts[i]),
              reference.json.at("named")[i].get<std::vector<std::int64_t>>())
        << reference.texts[i];
  }
}

TEST(ClassNames, AreWholeWordsInAnyCaseAndNumber) {
  const ClassNames names(pets);
  EXPECT_THAT(names.named("an American-Bulldog"), ElementsAre(0));
  EXPECT_THAT(names.named("two bulldogs and a BOMBAY"), ElementsAre(0, 1));
  EXPECT_THAT(names.named("bombayed, an american dog"), IsEmpty());
  EXPECT_THAT(names.named("a blue cat"), IsEmpty()) << "two classes have the word";
  EXPECT_THAT(names.named("russian  blues"), ElementsAre(2));
  EXPECT_THAT(names.named("\xff bombay"), IsEmpty()) << "no text at all";
}

TEST(ClassNames, AreMaskedWhereTheyStand) {
  const ClassNames names(pets, {{"Bombay", {"black cat"}}});
  EXPECT_EQ(names.masked("A Bombay, or black cats.", "pet"), "A pet, or pet.");
  EXPECT_EQ(names.masked("nothing here", "pet"), "nothing here");
  EXPECT_THAT(names.named(names.masked("bombay bombay russian blue", "pet")), IsEmpty());
}

TEST(ClassNames, RefuseNamesOfNoClass) {
  try {
    (void)ClassNames(pets, {{"bombai", {"x"}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("bombai"), HasSubstr("bombay")));
  }
}

TEST(ClassNames, ReadSynonyms) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("synonyms_" + std::to_string(::getpid()) + ".json");
  std::ofstream(file) << R"({"bombay": ["black cat", "panther"]})";
  EXPECT_THAT(read_synonyms(file), ElementsAre(testing::Pair("bombay", testing::SizeIs(2))));
  for (const char* wrong : {"[]", R"({"bombay": "x"})", R"({"bombay": [1]})", "{"}) {
    std::ofstream(file) << wrong;
    EXPECT_THROW((void)read_synonyms(file), Error) << wrong;
  }
  std::filesystem::remove(file);
}

// NumPy's means, the same divisions.
TEST(NameLeakage, EqualsPythons) {
  const testing_support::CaptionCase reference;
  const NameLeakage leakage = name_leakage(reference.texts, reference.labels, reference.names);
  const Json& expected = reference.json.at("leakage");
  EXPECT_EQ(leakage.captions, expected.at("captions").get<std::int64_t>());
  EXPECT_DOUBLE_EQ(leakage.own, expected.at("own").get<double>());
  EXPECT_DOUBLE_EQ(leakage.any, expected.at("any").get<double>());
  EXPECT_DOUBLE_EQ(leakage.other, expected.at("other").get<double>());
  EXPECT_DOUBLE_EQ(leakage.coverage, expected.at("coverage").get<double>());
  EXPECT_DOUBLE_EQ(leakage.accuracy, expected.at("accuracy").get<double>());
}

}  // namespace
}  // namespace espalier
