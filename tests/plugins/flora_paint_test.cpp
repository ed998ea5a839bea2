#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/flora/flora.hpp"
#include <cmath>
#include <espalier/core/hash.hpp>
#include <set>

namespace espalier::flora {
namespace {

using testing::Each;
using testing::SizeIs;

std::set<std::string> values(Pool pool, const char* attribute) {
  std::set<std::string> all;
  for (const Species& s : species(pool, max_species)) all.insert(facts(s).at(attribute));
  return all;
}

std::size_t differences(const Species& a, const Species& b) {
  std::size_t count = facts(a).at("centre") == facts(b).at("centre") ? 0 : 1;
  for (const char* attribute : {"petals", "petal_shape", "petal_colour", "arrangement", "leaf"}) {
    count += facts(a).at(attribute) != facts(b).at(attribute);
  }
  return count;
}

TEST(Flora, SpeciesHaveNamesAndAttributesOfTheirOwn) {
  std::set<std::string> names, looks;
  for (const Pool pool : {Pool::benchmark, Pool::pretraining}) {
    for (const Species& s : species(pool, max_species)) {
      names.insert(s.name);
      looks.insert(facts(s).dump());
    }
  }
  EXPECT_THAT(names, SizeIs(2 * max_species));
  EXPECT_THAT(looks, SizeIs(2 * max_species));
}

TEST(Flora, ALongerListBeginsWithTheShorter) {
  const auto few = species(Pool::benchmark, 6);
  const auto many = species(Pool::benchmark, 40);
  ASSERT_THAT(few, SizeIs(6));
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i].name, many[i].name);
}

TEST(Flora, SpeciesOfAGenusDifferInOneOrTwoAttributes) {
  const auto all = species(Pool::benchmark, max_species);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i / 4 * 4; j < i; ++j) {
      EXPECT_GE(differences(all[i], all[j]), 1u);
      EXPECT_LE(differences(all[i], all[j]), 2u);
    }
  }
}

TEST(Flora, PoolsShareWordsButNoColourAndNoShape) {
  for (const char* attribute : {"petal_colour", "petal_shape"}) {
    const auto benchmark = values(Pool::benchmark, attribute);
    const auto pretraining = values(Pool::pretraining, attribute);
    std::set<std::string> words[2];
    for (int pool = 0; pool < 2; ++pool) {
      for (const std::string& value : pool == 0 ? benchmark : pretraining) {
        words[pool].insert(value.substr(0, value.find(' ')));
        words[pool].insert(value.substr(value.find(' ') + 1));
      }
    }
    EXPECT_EQ(words[0], words[1]) << attribute;
    for (const std::string& value : benchmark) EXPECT_FALSE(pretraining.contains(value)) << value;
  }
}

TEST(Flora, AlternativesAreTheOtherValuesOfTheSamePool) {
  const auto colours = alternatives("petal_colour", "pale red");
  EXPECT_THAT(colours, SizeIs(8));
  for (const std::string& colour : colours) {
    EXPECT_TRUE(values(Pool::benchmark, "petal_colour").contains(colour)) << colour;
  }
  EXPECT_THAT(alternatives("petal_shape", "broad rounded"), SizeIs(3));
  EXPECT_THAT(alternatives("petals", "five"),
              testing::ElementsAre("four", "six", "eight", "twelve"));
  EXPECT_THAT(alternatives("centre", "green tuft"), SizeIs(11));
  EXPECT_THAT(alternatives("petals", "seven"), testing::IsEmpty());
  EXPECT_THAT(alternatives("scent", "sweet"), testing::IsEmpty());
}

std::string picture_hash(Pool pool, std::size_t number, double difficulty, std::int64_t size) {
  Random random(7, "flora test");
  const Scene scene = draw_scene(difficulty, random);
  const Image image = paint(species(pool, 40)[number], scene, size);
  EXPECT_EQ(image.width, size);
  EXPECT_EQ(std::ssize(image.rgb), 3 * size * size);
  return hex(sha256({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()}));
}

// A change of these bytes is a change of every result on flora: raise the dataset's version.
TEST(Flora, PicturesAreTheSameBytesEverywhere) {
  EXPECT_EQ(picture_hash(Pool::benchmark, 3, 0.5, 64),
            "ab06044dc170daf406a6b951b979d828b04bd6800998f79d941d5bec73aa86ed");
  EXPECT_EQ(picture_hash(Pool::benchmark, 21, 1.0, 33),
            "b6a950ccc7d97458b28bb0cb77f79d771be9aace9db2b16f0e386cd6e197a7a3");
  EXPECT_EQ(picture_hash(Pool::pretraining, 9, 0.0, 96),
            "b0bd55b11a3994977fef2f11e15fef953e6593c0ee4b46aa8427842c5f98e4dd");
}

// The middle of a large, plain picture shows the centre, half-way out the petals.
TEST(Flora, ThePictureShowsItsColours) {
  Species s;
  s.hue = Hue::blue;
  s.shade = Shade::vivid;
  s.centre_colour = CentreColour::yellow;
  s.petals = 12;
  Scene scene;
  scene.y = 0.5;
  const Image image = paint(s, scene, 200);
  const auto pixel = [&](std::size_t x, std::size_t y) { return &image.rgb[3 * (200 * y + x)]; };
  EXPECT_GT(pixel(100, 100)[0], pixel(100, 100)[2] + 60);  // yellow: red over blue
  EXPECT_GT(pixel(145, 100)[2], pixel(145, 100)[0] + 60);
}

TEST(Flora, DifficultyWidensTheScenes) {
  double spread[2] = {0, 0};
  for (int i = 0; i < 200; ++i) {
    for (const int hard : {0, 1}) {
      Random random(i, "spread");
      const Scene scene = draw_scene(hard, random);
      spread[hard] += std::abs(scene.x - 0.5);
      EXPECT_GT(scene.radius, 0.2);
      EXPECT_LT(scene.tilt, 0.6);
    }
  }
  EXPECT_GT(spread[1], 4 * spread[0]);
}

}  // namespace
}  // namespace espalier::flora
