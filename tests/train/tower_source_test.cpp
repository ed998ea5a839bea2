#include "train/tower_source.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <map>

#include "train/adapted_tower.hpp"

namespace espalier {
namespace {

using adapted::looks;

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(ComputedActivations, HaveBitsThatFollowFromTheSampleAlone) {
  const adapted::Tower tower("vit-tiny", 3);
  for (const std::int64_t cut : {0, 2, 4}) {
    const ComputedActivations below(tower.image(), tower.pixel_source(), -1, cut);
    const at::Tensor together = below.at(looks(7)).states;
    EXPECT_TRUE(below.at(looks(3, 4)).states.equal(together.slice(0, 4))) << cut;
    EXPECT_TRUE(below.at(looks(1, 5)).states[0].equal(together[5])) << cut;
    std::vector<Look> reversed = looks(7);
    std::reverse(reversed.begin(), reversed.end());
    EXPECT_TRUE(below.at(reversed).states.equal(together.flip(0))) << cut;
    EXPECT_FALSE(together.requires_grad());
  }
}

TEST(ComputedActivations, GoOnFromThoseOfALowerCutWithTheSameBits) {
  const adapted::Tower tower("clip-tiny-gelu", 2);
  const auto low =
      std::make_shared<ComputedActivations>(tower.image(), tower.pixel_source(), -1, 0);
  const ComputedActivations in_steps(tower.image(), low, 0, 2);
  const ComputedActivations at_once(tower.image(), tower.pixel_source(), -1, 2);
  EXPECT_TRUE(in_steps.at(looks(6)).states.equal(at_once.at(looks(6)).states));
}

TEST(TowerSource, GivesTheFeaturesOfTheWholeTowerFromAnyCut) {
  const adapted::Tower tower("vit-tiny", 4);  // nothing is adapted
  std::vector<at::Tensor> pixels;
  for (const Look& look : looks(5)) pixels.push_back(tower.pixels(look));
  const c10::AutoGradMode no_grad(false);
  const at::Tensor whole = forward(tower.image(), at::stack(pixels)).feature.to(at::kFloat);
  for (std::int64_t cut = -1; cut <= tower.image().layers() + 2; ++cut) {
    const TowerSource source(
        tower.image(), cut,
        std::make_shared<ComputedActivations>(tower.image(), tower.pixel_source(), -1, cut), 5);
    EXPECT_TRUE(source.rows(looks(5), {}).equal(whole)) << cut;
    EXPECT_EQ(source.trained(), cut < tower.image().layers() + 2);
  }
  EXPECT_EQ(tower.source(3)->width(), 48);
  EXPECT_EQ(tower.source(3)->rows({}, {}).size(0), 0);
}

// Lists of ids of several lengths, as a tokenizer gives them.
std::vector<std::vector<std::int64_t>> texts_for(const TextTower& tower, std::int64_t end) {
  std::vector<std::vector<std::int64_t>> texts;
  for (std::int64_t length = 3; length <= 8; ++length) {
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i + 1 < length; ++i) ids.push_back(4 + (7 * i + length) % 20);
    ids.push_back(end);
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(tower.max_length())));
    texts.push_back(std::move(ids));
  }
  return texts;
}

// Texts that share a batch are padded, each alone is not: rounding, not more.
TEST(TowerSource, TurnsTextsIntoTheirFeatures) {
  for (const char* name : {"clip-tiny-gelu", "siglip-tiny", "bert-tiny", "mpnet-tiny"}) {
    const auto encoder = load_pretrained(cases::encoder_case(name));
    const TextTower& tower = *encoder->text();
    const auto texts = texts_for(tower, tower.vocabulary() - 1);
    std::map<std::size_t, std::vector<std::vector<std::int64_t>>> ids;
    std::vector<Look> list;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ids[i / 2].push_back(texts[i]);
      list.push_back({.sample = i / 2, .view = static_cast<std::int64_t>(i % 2)});
    }
    const auto source = std::make_shared<IdSource>(tower, ids);
    const TowerSource features(tower, 1,
                               std::make_shared<ComputedActivations>(tower, source, -1, 1), 3);
    const c10::AutoGradMode no_grad(false);
    const at::Tensor expected = text_features(tower, texts);
    EXPECT_LT(difference(features.rows(list, {}), expected), 1e-5) << name;
    std::reverse(list.begin(), list.end());
    EXPECT_LT(difference(features.rows(list, {}), expected.flip(0)), 1e-5) << name;
  }
}

TEST(IdSource, RefusesATextWithoutTokens) {
  const auto encoder = load_pretrained(cases::encoder_case("bert-tiny"));
  try {
    const IdSource source(*encoder->text(), {{4, {{2, 3}, {}}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("sample 4"));
  }
}

TEST(TowerSource, TellsHooksTheClassOfEachRowWhateverTheChunks) {
  adapted::Tower tower("vit-tiny", 4);
  std::vector<std::int64_t> seen;
  Site& site = *tower.encoder->sites(SiteRole::norm, "final").at(0);
  site.hook_input([&](const at::Tensor& x, const Mode& mode) {
    EXPECT_EQ(std::ssize(mode.classes), x.size(0));
    seen.insert(seen.end(), mode.classes.begin(), mode.classes.end());
    return x;
  });
  const std::vector<std::int64_t> classes = {4, 1, 1, 7, 0};
  Mode mode;
  mode.classes = classes;
  const c10::AutoGradMode no_grad(false);
  (void)tower.source(2)->rows(looks(5), mode);
  EXPECT_EQ(seen, classes);
}

}  // namespace
}  // namespace espalier
