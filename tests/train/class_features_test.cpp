#include "train/class_features.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <map>

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class NamedClasses final : public Dataset {
 public:
  explicit NamedClasses(ClassTexts texts = {{}, {}}) : texts_(std::move(texts)) {}
  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<Sample>& samples() const override { return samples_; }
  Image image(std::size_t) const override { return {}; }
  std::vector<std::string> class_texts(std::int64_t label) const override {
    return texts_.at(static_cast<std::size_t>(label));
  }

 private:
  std::vector<std::string> names_{"pale rose", "blue_bell"};
  std::vector<Sample> samples_;
  ClassTexts texts_;
};

// Two numbers a text, from a table.
class Table final : public Encoder {
 public:
  explicit Table(std::map<std::string, std::pair<float, float>> rows) : rows_(std::move(rows)) {}
  std::int64_t image_width() const override { return 2; }
  std::int64_t text_width() const override { return 2; }
  at::Tensor encode_texts(std::span<const std::string> texts) const override {
    std::vector<float> values;
    for (const std::string& text : texts) {
      values.push_back(rows_.at(text).first);
      values.push_back(rows_.at(text).second);
    }
    return at::tensor(values).view({-1, 2});
  }

 private:
  std::map<std::string, std::pair<float, float>> rows_;
};

TEST(ClassFeatures, AverageTextsBroughtToLengthOne) {
  const Table encoder({{"a", {3, 0}}, {"b", {0, 0.5}}, {"c", {-2, 0}}});
  // (1, 0) and (0, 1) weigh the same however long they were.
  const at::Tensor expected = at::tensor({0.5F, 0.5F, -1.0F, 0.0F}).view({2, 2});
  EXPECT_TRUE(at::allclose(class_vectors(encoder, {{"a", "b"}, {"c"}}), expected));
}

TEST(ClassPrompts, FollowTheDatasetByThemselves) {
  const NamedClasses dataset;
  EXPECT_THAT(class_prompts({}, "oxford_pets", dataset),
              ElementsAre(ElementsAre("a photo of a pale rose, a type of pet."),
                          ElementsAre("a photo of a blue bell, a type of pet.")));
  EXPECT_THAT(
      class_prompts({}, "image_folder", dataset),
      ElementsAre(ElementsAre("a photo of a pale rose."), ElementsAre("a photo of a blue bell.")));
}

TEST(ClassPrompts, TakeWhatTheDatasetSaysOfAClass) {
  const NamedClasses dataset({{"Pale.", "A rose."}, {}});
  EXPECT_THAT(class_prompts({}, "flowers", dataset),
              ElementsAre(ElementsAre("Pale.", "A rose."), ElementsAre("a photo of a blue bell.")));
}

TEST(ClassPrompts, CanBeChosen) {
  const NamedClasses dataset;
  HeadParams head;
  head.prompts = "food101";
  EXPECT_EQ(class_prompts(head, "oxford_pets", dataset)[0][0],
            "a photo of pale rose, a type of food.");
  head.prompts = "general";
  EXPECT_EQ(class_prompts(head, "oxford_pets", dataset)[1].size(), 7U);
  head.prompts = "template";
  head.prompt = "a drawing of {}";
  EXPECT_EQ(class_prompts(head, "oxford_pets", dataset)[1][0], "a drawing of blue bell");
  head.prompt = "a drawing";
  EXPECT_THROW((void)class_prompts(head, "oxford_pets", dataset), Error);
}

TEST(ClassPrompts, CanComeFromAFile) {
  const auto file = std::filesystem::path(testing::TempDir()) / "class_prompts.json";
  HeadParams head;
  head.prompts = "file";
  head.descriptions.text = file.string();
  std::ofstream(file) << R"({"Pale rose": ["Pale."], "blue bell": ["Blue.", "A bell."]})";
  EXPECT_THAT(class_prompts(head, "flowers102", NamedClasses()),
              ElementsAre(ElementsAre("Pale."), ElementsAre("Blue.", "A bell.")));
  std::ofstream(file) << R"({"pale rose": ["Pale."]})";
  try {
    (void)class_prompts(head, "flowers102", NamedClasses());
    FAIL() << "a class without a sentence";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("blue_bell"));
  }
}

}  // namespace
}  // namespace espalier
