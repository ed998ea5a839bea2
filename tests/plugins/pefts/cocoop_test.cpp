// What its recorded case and the conformance suite do not show of CoCoOp.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <atomic>
#include <espalier/core/error.hpp>
#include <espalier/nn/dropout.hpp>
#include <espalier/nn/unit_rows.hpp>

#include "on_tiny_clip.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::class_input;
using testing_support::error_of;
using testing_support::make;
using testing_support::OnTinyClip;

// Words, and a bottleneck from a feature of width d to the text tower's width t, biases included.
constexpr std::int64_t cocoop_count(std::int64_t words, std::int64_t t, std::int64_t d,
                                    std::int64_t reduction) {
  const std::int64_t hidden = d / reduction > 0 ? d / reduction : 1;
  return words * t + d * hidden + hidden + hidden * t + t;
}
static_assert(cocoop_count(4, 512, 512, 16) == 35'360, "CLIP ViT-B/16, as the paper counts");

// Scores of features that are no pictures', by classes in this order.
at::Tensor scores_of(const OnTinyClip& cocoop, const at::Tensor& features,
                     const std::vector<std::int64_t>& classes) {
  Mode mode;
  mode.classes = classes;
  const at::Tensor before = features.new_zeros({features.size(0), std::ssize(classes)});
  return cocoop.encoder->score(features, before, mode);
}

at::Tensor some_features(const OnTinyClip& cocoop, std::int64_t rows) {
  Random random(std::uint64_t{3});
  return normal_init({rows, cocoop.encoder->text()->feature_width()}, 1.0, random);
}

TEST(CoCoOp, LearnsWordsAndAMapFromThePicture) {
  for (const std::int64_t reduction : {4, 16, 1000}) {
    const OnTinyClip cocoop("cocoop", {{"reduction", reduction}});
    const TextTower& tower = *cocoop.encoder->text();
    EXPECT_EQ(cocoop.parameters.count(),
              cocoop_count(4, tower.width(), tower.feature_width(), reduction));
  }
}

TEST(CoCoOp, LeavesBothTowersAsTheyAre) {
  const OnTinyClip cocoop("cocoop", {});
  for (const TowerKind kind : {TowerKind::image, TowerKind::text}) {
    const auto& tower = kind == TowerKind::image
                            ? static_cast<const Tower&>(*cocoop.encoder->image())
                            : static_cast<const Tower&>(*cocoop.encoder->text());
    EXPECT_EQ(cocoop.encoder->cut(kind), tower.layers() + 2);
  }
}

// From words, and with a map that gives nothing, it is zero-shot classification.
TEST(CoCoOp, IsZeroShotWhereTheMapGivesNothing) {
  OnTinyClip cocoop("cocoop", {});
  const c10::NoGradGuard no_grad;
  for (auto& [name, tensor] : cocoop.parameters.snapshot()) {
    if (name != "context") continue;
    for (at::Tensor& own : cocoop.parameters.tensors()) own.zero_();
    cocoop.parameters.tensors().front().copy_(tensor);
  }
  const at::Tensor x = some_features(cocoop, 4);
  const at::Tensor classes = cocoop.features({0, 1, 2}, {});
  const at::Tensor expected = unit_rows(x).matmul(unit_rows(classes).t());
  EXPECT_TRUE(scores_of(cocoop, x, {0, 1, 2}).allclose(expected, 1e-5, 1e-6));
}

TEST(CoCoOp, GivesAPictureTheSameBitsWhoeverIsBesideIt) {
  const OnTinyClip cocoop("cocoop", {});
  const at::Tensor x = some_features(cocoop, 5);
  const c10::NoGradGuard no_grad;
  const at::Tensor all = scores_of(cocoop, x, {0, 1, 2});
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    EXPECT_TRUE(scores_of(cocoop, x.slice(0, i, i + 1), {0, 1, 2}).equal(all.slice(0, i, i + 1)));
  }
}

TEST(CoCoOp, ScoresTheClassesThatAreAsked) {
  const OnTinyClip cocoop("cocoop", {});
  const at::Tensor x = some_features(cocoop, 3);
  const c10::NoGradGuard no_grad;
  const at::Tensor all = scores_of(cocoop, x, {0, 1, 2});
  EXPECT_TRUE(scores_of(cocoop, x, {2, 1})
                  .allclose(all.index_select(1, at::tensor({2, 1}, at::kLong)), 1e-5, 1e-6));
  EXPECT_TRUE(cocoop.encoder->score(x, at::zeros_like(all), {}).equal(all))
      << "all where it says nothing";
}

// Against differences: of the text tower's parameters that another method trains, too.
TEST(CoCoOp, TrainsBesideAMethodInTheTextTower) {
  OnTinyClip both(
      "stack",
      {{"methods", Json::array({{{"use", "cocoop"}}, {{"use", "bitfit"}, {"towers", "text"}}})}});
  const at::Tensor x = some_features(both, 3);
  const at::Tensor labels = at::tensor({2, 0, 1}, at::kLong);
  const auto loss = [&] {
    return at::cross_entropy_loss(scores_of(both, x, {0, 1, 2}) * 20, labels);
  };
  loss().backward();
  for (auto& [name, tensor] : both.parameters.entries()) {
    const at::Tensor gradient = tensor.grad();
    ASSERT_TRUE(gradient.defined()) << name;
    const double size = gradient.norm().item<double>();
    if (size < 1e-3) continue;  // of a key's bias it is 0
    const c10::NoGradGuard no_grad;
    const at::Tensor step = gradient / size * 2e-3;
    at::Tensor(tensor).add_(step);
    const double above = loss().item<double>();
    at::Tensor(tensor).sub_(step, 2);
    const double slope = (above - loss().item<double>()) / 4e-3;
    at::Tensor(tensor).add_(step);
    EXPECT_NEAR(slope, size, 0.02 * size + 1e-3) << name;
  }
}

// Else a pass that drops would be taken for an evaluation.
TEST(CoCoOp, SaysWhatIsDrawnInTheTextTower) {
  const OnTinyClip cocoop("cocoop", {});
  Site& site = *cocoop.encoder->sites(SiteRole::linear, "fc1").back();
  ASSERT_EQ(site.tower, TowerKind::text);
  for (const double p : {0.0, 0.5}) {
    site.unhook();
    site.hook_input(
        [p](const at::Tensor& x, const Mode& mode) { return dropout(x, p, mode, "fc1"); });
    const at::Tensor x = some_features(cocoop, 2);
    const std::vector<std::uint64_t> ids = {0, 1};
    std::atomic<bool> drawn = false;
    const Mode mode{.training = true, .dropout = {.key = 3, .rows = ids, .drawn = &drawn}};
    (void)cocoop.encoder->score(x, x.new_zeros({2, 3}), mode);
    EXPECT_EQ(drawn, p > 0);
  }
}

TEST(CoCoOp, HasNothingToTrainWithoutTextsOfClasses) {
  const auto method = make<Peft>("cocoop");
  method->prepare(class_input(*method, {"rose"}));
  const auto whole = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  Parameters parameters;
  Random random(1, "peft");
  method->attach(*whole->part({.images = true, .texts = false, .classes = false}), parameters,
                 random);
  EXPECT_EQ(parameters.count(), 0);
  EXPECT_THAT(error_of([&] { make<Peft>("cocoop")->attach(*whole, parameters, random); }),
              HasSubstr("inside a trial alone"));
}

}  // namespace
}  // namespace espalier
