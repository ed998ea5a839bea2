#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/plugin/dataset.hpp>
#include <set>

#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing_support::error_of;
using testing_support::make;

TEST(FloraDataset, HasTheClassesAndPicturesAskedFor) {
  const auto flora = make<Dataset>("flora", {{"classes", 5}, {"per_class", 3}, {"size", 40}});
  EXPECT_EQ(flora->class_names().size(), 5u);
  ASSERT_EQ(flora->samples().size(), 15u);
  std::set<std::string> ids;
  for (const Sample& sample : flora->samples()) {
    ids.insert(sample.id);
    EXPECT_EQ(sample.split, Split::none);
  }
  EXPECT_EQ(ids.size(), 15u);
  EXPECT_EQ(flora->samples()[7].label, 2);
  EXPECT_EQ(flora->image(7).width, 40);
}

TEST(FloraDataset, APictureDependsOnItsIdAndTheSeedAlone) {
  const auto few = make<Dataset>("flora", {{"classes", 2}, {"per_class", 2}});
  const auto many = make<Dataset>("flora", {{"classes", 2}, {"per_class", 5}});
  const auto other = make<Dataset>("flora", {{"classes", 2}, {"per_class", 2}, {"seed", 2}});
  EXPECT_EQ(few->image(3), many->image(6));
  EXPECT_EQ(few->facts(3), many->facts(6));
  EXPECT_NE(few->image(3), other->image(3));
  EXPECT_NE(few->image(0), few->image(1));
}

TEST(FloraDataset, ClassFactsAreTheFactsWithoutTheBackground) {
  const auto flora = make<Dataset>("flora", {{"classes", 3}, {"per_class", 2}});
  Json facts = flora->facts(4);
  EXPECT_EQ(facts.erase("background"), 1u);
  const Wording& words = *flora->wording();
  const std::vector<std::string> texts = flora->class_texts(2);
  ASSERT_EQ(std::ssize(texts), words.count());
  for (std::int64_t way = 0; way < words.count(); ++way) {
    EXPECT_EQ(texts[static_cast<std::size_t>(way)], words.describe(facts, way));
  }
}

TEST(FloraDataset, RefusesWhatIsOutOfRange) {
  const std::string text = error_of([] {
    (void)make<Dataset>("flora", {{"classes", 1}, {"size", 8}, {"pool", "garden"}, {"colour", 1}});
  });
  for (const char* key : {"classes", "size", "pool", "colour"}) {
    EXPECT_THAT(text, testing::HasSubstr(key));
  }
}

}  // namespace
}  // namespace espalier
