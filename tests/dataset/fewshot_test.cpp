#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <espalier/core/hash.hpp>
#include <espalier/dataset/fewshot.hpp>
#include <string>

namespace espalier {
namespace {

using testing::ElementsAre;

using Labels = std::vector<std::int64_t>;

struct Published {
  const char* name;
  std::int64_t shots;
  std::array<const char*, 3> digests;  // seeds 1, 2, 3
};

// CoOp's lists as published in linzhiqiu/cross_modal_adaptation: the first 16 hexadecimal digits of
// SHA-256 over the train indices, a line feed and the val indices, each separated by spaces.
constexpr Published published[] = {
    {"pets", 1, {"adab028155ddbf94", "f098563eec6121c9", "5db9b35e73f3766e"}},
    {"pets", 2, {"51d9357e93a1a96a", "d2c31d27c8cf497e", "506bfddf2a797313"}},
    {"pets", 4, {"a52f3b7115391fea", "9f0f8c16ad8234d5", "659ae41070da1029"}},
    {"pets", 8, {"6c1f80f27c2ecb7b", "4ec8be32b0558165", "8cf803920cbe8032"}},
    {"pets", 16, {"3e19e0476e0aefcd", "9ecd61e0dc124110", "61f4e96d8dc72799"}},
    {"flowers", 1, {"07e19a51a4a84700", "a926a44cea6aa255", "709357be7627d19b"}},
    {"flowers", 2, {"d7a95f58219b731f", "e5cc4afcaeaed62a", "08c7c9d261f89571"}},
    {"flowers", 4, {"e93599e07dd4c2d3", "438125cad2346693", "4a86e88c47e4591e"}},
    {"flowers", 8, {"e1d8e546751369ae", "7fe3df1a7236299d", "c5090acc6d138e07"}},
    {"flowers", 16, {"037158de4fb522b4", "e48f88eda427998c", "5e676f58a6757f2e"}},
    {"food", 1, {"5bc4c7452fa60544", "495406da052c97f1", "18dbfac71b7f78db"}},
    {"food", 2, {"f9c7fefe079b5dc0", "f3da9bf4ce286841", "4ea0c7497ae2efc8"}},
    {"food", 4, {"a99608a1e7effaac", "932c3437c03809e9", "e2ddd7dde6874519"}},
    {"food", 8, {"6e8bb7a41005f4ac", "12263f3d8b8bd0be", "ed33edee9e780806"}},
    {"food", 16, {"1bf5bd64a21d01ac", "b3d1caf6109e6c89", "75437edaee9fe45e"}},
};

// Images a class in Flowers102, in the order of first appearance in imagelabels.mat, in which
// CoOp's split has them: of n images round(n / 2) are for training and round(n / 5) for validation.
constexpr int flowers[] = {251, 194, 154, 184, 166, 196, 171, 258, 93, 112, 131, 137, 105, 120, 127,
                           130, 107, 86,  114, 109, 58,  109, 66,  87, 102, 85,  91,  85,  96,  93,
                           108, 85,  87,  78,  85,  82,  75,  82,  78, 67,  71,  71,  63,  76,  56,
                           67,  67,  60,  65,  66,  62,  59,  61,  63, 61,  45,  56,  59,  49,  56,
                           54,  54,  54,  46,  48,  52,  49,  49,  50, 92,  49,  46,  46,  41,  41,
                           40,  41,  41,  40,  40,  42,  40,  52,  40, 43,  41,  42,  45,  40,  45,
                           40,  67,  55,  162, 128, 91,  66,  82,  63, 49,  58,  48};

void append(Labels& labels, int label, double count) {
  labels.insert(labels.end(), static_cast<std::size_t>(count), label);
}

// The labels of CoOp's splits in their order; only the sizes of the classes matter.
std::pair<Labels, Labels> labels_of(const std::string& name) {
  Labels train;
  Labels val;
  if (name == "pets") {
    for (int c = 0; c < 37; ++c) {
      const int train_count = c == 7 || c == 12 || c == 22 ? 77 : c == 11 ? 74 : c == 32 ? 79 : 80;
      append(train, c, train_count);
      append(val, c, train_count < 79 ? 19 : 20);
    }
  } else if (name == "flowers") {
    for (int c = 0; c < 102; ++c) {
      append(train, c, std::nearbyint(flowers[c] * 0.5));
      append(val, c, std::nearbyint(flowers[c] * 0.2));
    }
  } else {
    for (int c = 0; c < 101; ++c) {
      append(train, c, 500);
      append(val, c, 200);
    }
  }
  return {train, val};
}

std::string digest(const FewShot& chosen) {
  std::string text;
  for (const auto* list : {&chosen.train, &chosen.val}) {
    if (!text.empty()) text.back() = '\n';
    for (const std::size_t index : *list) text += std::to_string(index) + " ";
  }
  text.pop_back();
  return hex(sha256(text)).substr(0, 16);
}

TEST(FewShotTest, EqualsAll45PublishedLists) {
  for (const Published& row : published) {
    const auto [train, val] = labels_of(row.name);
    for (int seed = 1; seed <= 3; ++seed) {
      const FewShot chosen =
          few_shot(train, val, row.shots, std::min<std::int64_t>(row.shots, 4), seed);
      EXPECT_EQ(digest(chosen), row.digests[static_cast<std::size_t>(seed - 1)])
          << row.name << ", " << row.shots << " shots, seed " << seed;
    }
  }
}

TEST(FewShotTest, GoesThroughClassesInOrderOfFirstAppearance) {
  const Labels labels{7, 2, 7, 2, 7, 2};
  const Labels none;
  const FewShot chosen = few_shot(labels, none, 2, 2, 5);
  ASSERT_EQ(chosen.train.size(), 4u);
  EXPECT_EQ(chosen.train[0] % 2, 0u);
  EXPECT_EQ(chosen.train[1] % 2, 0u);
  EXPECT_EQ(chosen.train[2] % 2, 1u);
  EXPECT_TRUE(chosen.val.empty());
}

TEST(FewShotTest, ASmallClassKeepsAllItsImagesAndDrawsNothing) {
  const Labels with{0, 0, 1, 1, 1, 1, 1};
  const Labels without{1, 1, 1, 1, 1};
  const FewShot a = few_shot(with, {}, 3, 1, 9);
  const FewShot b = few_shot(without, {}, 3, 1, 9);
  EXPECT_THAT(std::vector(a.train.begin(), a.train.begin() + 2), ElementsAre(0, 1));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(a.train[i + 2], b.train[i] + 2);
}

TEST(FewShotTest, ZeroShotsMeansEverything) {
  const FewShot chosen = few_shot(Labels{1, 0, 1}, Labels{0, 1}, 0, 0, 1);
  EXPECT_THAT(chosen.train, ElementsAre(0, 1, 2));
  EXPECT_THAT(chosen.val, ElementsAre(0, 1));
}

}  // namespace
}  // namespace espalier
