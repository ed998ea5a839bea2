#include <espalier/nn/adaptable.hpp>

#include <gmock/gmock.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <set>

#include "small_model.hpp"

namespace espalier {
namespace {

using cases::difference;
using cases::Model;
using cases::same;
using testing::HasSubstr;

TEST(Adaptable, NamesSitesAsHuggingFaceNamesItsModules) {
  const Model clip("clip-tiny-gelu");
  const Site& q = clip.encoder->site("vision_model.encoder.layers.1.self_attn.q_proj");
  EXPECT_EQ(q.role, SiteRole::linear);
  EXPECT_EQ(q.part, "q");
  EXPECT_EQ(q.layer, 1);
  EXPECT_EQ(q.weight.sizes().vec(), (std::vector<std::int64_t>{40, 40}));
  EXPECT_EQ(clip.encoder->site("text_model.encoder.layers.0.mlp").role, SiteRole::branch);
  EXPECT_EQ(clip.encoder->site("vision_model.pre_layrnorm").layer, -1);
  EXPECT_EQ(clip.encoder->site("text_projection").layer, 2);
  try {
    (void)clip.encoder->site("vision_model.encoder.layers.1.self_attn.q_prj");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("layers.1.self_attn.q_proj"));
  }
}

class Families : public testing::TestWithParam<const char*> {};

TEST_P(Families, OffersEveryRoleInEveryLayerUnderOneName) {
  const Model model(GetParam());
  std::set<std::string> names;
  for (const Site* site : model.encoder->sites()) {
    EXPECT_TRUE(names.insert(std::string(to_string(site->role)) + site->name).second) << site->name;
  }
  std::int64_t layers = 0;
  if (model.encoder->image()) layers += model.encoder->image()->layers();
  if (model.encoder->text()) layers += model.encoder->text()->layers();
  const auto count = [&](SiteRole role, std::string_view part) {
    return static_cast<std::int64_t>(model.encoder->sites(role, part).size());
  };
  for (const char* part : {"q", "k", "v"}) EXPECT_EQ(count(SiteRole::linear, part), layers);
  for (const char* part : {"norm1", "norm2"}) EXPECT_EQ(count(SiteRole::norm, part), layers);
  for (const char* part : {"attention", "mlp"}) EXPECT_EQ(count(SiteRole::branch, part), layers);
  EXPECT_EQ(count(SiteRole::tokens, "layer"), layers);
}

TEST_P(Families, GivesTheSameNumbersWhereverItIsCut) {
  const Model model(GetParam());
  const c10::AutoGradMode no_grad(false);
  const auto check = [](const Tower& tower, const Activations& embedded) {
    const at::Tensor whole = tower.head(tower.run(embedded, 0, tower.layers(), {}), {}).feature;
    for (std::int64_t cut = 0; cut <= tower.layers(); ++cut) {
      const Activations below = tower.run(embedded, 0, cut, {});
      const Activations top = tower.run(below, cut, tower.layers(), {});
      EXPECT_TRUE(same(tower.head(top, {}).feature, whole)) << cut;
    }
  };
  if (const auto* image = model.encoder->image()) {
    check(*image, image->embed(model.inputs.at("pixel_values"), {}));
  }
  if (const auto* text = model.encoder->text()) {
    check(*text, text->embed({model.inputs.at("input_ids"), {}, {}}, {}));
  }
}

TEST_P(Families, AdvancesFromAnyCutToAnyOtherWithTheSameBits) {
  const Model model(GetParam());
  const c10::AutoGradMode no_grad(false);
  const auto check = [](const Tower& tower, const at::Tensor& input) {
    const std::int64_t last = tower.layers() + 2;
    const at::Tensor feature = tower.advance({input, {}, {}}, -1, last, {}).states;
    for (std::int64_t cut = -1; cut <= last; ++cut) {
      const Activations below = tower.advance({input, {}, {}}, -1, cut, {});
      EXPECT_TRUE(same(tower.advance(below, cut, last, {}).states, feature)) << cut;
      if (cut > 0) {
        const Activations step =
            tower.advance(tower.advance({input, {}, {}}, -1, cut - 1, {}), cut - 1, cut, {});
        EXPECT_TRUE(same(step.states, below.states)) << cut;
      }
    }
  };
  if (const auto* image = model.encoder->image()) {
    check(*image, model.inputs.at("pixel_values"));
  }
  if (const auto* text = model.encoder->text()) {
    check(*text, model.inputs.at("input_ids"));
  }
}

TEST(Adaptable, TheHeadKeepsOnePositionWhereOneStandsForTheWhole) {
  const c10::AutoGradMode no_grad(false);
  for (const char* name : {"clip-tiny-gelu", "vit-tiny", "dinov2-tiny"}) {
    const Model model(name);
    const VisionTower& tower = *model.encoder->image();
    const at::Tensor states =
        tower.advance({model.inputs.at("pixel_values"), {}, {}}, -1, tower.layers(), {}).states;
    EXPECT_EQ(states.size(1), 1) << name;
  }
}

// Every hook must be called, must be able to change the result, and must leave no trace.
TEST_P(Families, LetsEverySiteBeHookedAndReset) {
  Model model(GetParam());
  const c10::AutoGradMode no_grad(false);
  for (const TowerKind kind : {TowerKind::image, TowerKind::text}) {
    const bool image = kind == TowerKind::image;
    if (image ? !model.encoder->image() : !model.encoder->text()) continue;
    const auto feature = [&] { return image ? model.image() : model.text(); };
    const at::Tensor before = feature();
    for (Site* site : model.encoder->sites()) {
      const bool behind = site->role == SiteRole::classifier || site->role == SiteRole::logits;
      if (site->tower != kind || behind || site->part == "pooler") continue;
      const bool output = site->role == SiteRole::branch || site->role == SiteRole::linear;
      if (output) {
        site->hook_output(
            [](const at::Tensor&, const at::Tensor& y, const Mode&) { return y * 1.5; });
      } else {
        site->hook_input([](const at::Tensor& x, const Mode&) {
          return x + at::full({x.size(-1)}, 0.0, x.options())
                         .index_fill(0, at::full({1}, 0, at::kLong), 2.0);
        });
      }
      EXPECT_EQ(model.encoder->cut(kind), site->layer) << site->name;
      // A key's bias drops out of the softmax, so scaling k by hook still changes scores.
      EXPECT_GT(difference(feature(), before), 1e-6) << site->name;
      model.encoder->reset();
      EXPECT_TRUE(same(feature(), before)) << site->name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Families,
                         testing::Values("clip-tiny-gelu", "siglip-tiny", "vit-tiny", "dinov2-tiny",
                                         "bert-tiny", "mpnet-tiny"));

TEST(Adaptable, RefusesASecondHookOnOneSide) {
  const Model model("vit-tiny");
  Site& site = model.encoder->site("encoder.layer.0.attention.attention.query");
  const auto same_input = [](const at::Tensor& x, const Mode&) { return x; };
  site.hook_input(same_input);
  site.hook_output([](const at::Tensor&, const at::Tensor& y, const Mode&) { return y; });
  try {
    site.hook_input(same_input);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("layer.0.attention.attention.query"));
  }
}

TEST(Adaptable, TheModeReachesEverySite) {
  for (const char* name :
       {"clip-tiny-gelu", "siglip-tiny", "vit-tiny", "bert-tiny", "mpnet-tiny"}) {
    Model model(name);
    std::set<std::string> seen;
    for (Site* site : model.encoder->sites()) {
      const auto note = [&seen, site](const Mode& mode) {
        if (mode.training && mode.dropout.key == 5) seen.insert(site->name + site->part);
      };
      site->hook_input([note](const at::Tensor& x, const Mode& mode) { return note(mode), x; });
      site->hook_output([note](const at::Tensor&, const at::Tensor& y, const Mode& mode) {
        return note(mode), y;
      });
    }
    const Mode mode{.training = true, .dropout = {.key = 5, .rows = {}}};
    if (model.encoder->image()) {
      (void)forward(*model.encoder->image(), model.inputs.at("pixel_values"), mode);
    }
    if (model.encoder->text()) {
      (void)forward(*model.encoder->text(), {model.inputs.at("input_ids"), {}, {}}, mode);
    }
    (void)model.encoder->classify(at::full({2, 3}, 1.0), mode);
    (void)model.encoder->score(at::full({4, 3}, 1.0), at::full({4, 2}, 1.0), mode);
    EXPECT_EQ(seen.size(), model.encoder->sites().size()) << name;
  }
}

TEST(Adaptable, JoinsTheTowersOfTwoModels) {
  Model image("vit-tiny");
  Model text("bert-tiny");
  const at::Tensor before = image.image(), words = text.text();
  const auto joined = AdaptableEncoder::join(image.encoder.get(), text.encoder.get());
  std::set<std::string> names;
  for (const Site* site : joined->sites()) {
    EXPECT_TRUE(names.insert(std::string(to_string(site->role)) + site->name).second) << site->name;
  }
  EXPECT_EQ(joined->weights().size(),
            image.encoder->weights().size() + text.encoder->weights().size());
  const std::string layer = ".encoder.layer.1.output.dense";
  joined->site("text_model" + layer)
      .hook_output([](const at::Tensor&, const at::Tensor& y, const Mode&) { return y * 2.0; });
  EXPECT_EQ(joined->cut(TowerKind::text), 1);
  EXPECT_EQ(joined->cut(TowerKind::image), image.encoder->image()->layers() + 2);
  EXPECT_GT(difference(text.text(), words), 1e-3);
  for (const WeightSlot& weight : joined->weights()) {
    if (weight.name == "vision_model" + layer + ".weight") *weight.slot = *weight.slot * 2.0;
  }
  EXPECT_EQ(joined->cut(TowerKind::image), 1);
  EXPECT_GT(difference(image.image(), before), 1e-3);
  joined->reset();
  EXPECT_TRUE(same(image.image(), before));
  EXPECT_TRUE(same(text.text(), words));
}

TEST(Adaptable, JoinsOneTowerOfAModelThatHasTwo) {
  const Model clip("clip-tiny-gelu");
  const auto joined = AdaptableEncoder::join(clip.encoder.get(), nullptr);
  EXPECT_EQ(joined->text(), nullptr);
  EXPECT_EQ(joined->site("vision_model.vision_model.post_layernorm").layer, 3);
  for (const WeightSlot& weight : joined->weights()) {
    EXPECT_THAT(weight.name, testing::StartsWith("vision_model.v"));
  }
}

TEST(AdaptableEncoder, HasPartsForThoseWhoLookAtSomeOfIt) {
  const auto clip = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  const auto image = clip->part({.images = true});
  EXPECT_EQ(image->text(), nullptr);
  EXPECT_TRUE(image->sites(SiteRole::classifier).empty());
  EXPECT_TRUE(image->sites(SiteRole::logits).empty());
  for (const Site* site : image->sites()) EXPECT_EQ(site->tower, TowerKind::image) << site->name;
  for (const WeightSlot& weight : image->weights()) {
    EXPECT_TRUE(weight.place && weight.place->tower == TowerKind::image) << weight.name;
  }
  Site& shared = image->site(image->sites(SiteRole::linear, "q").front()->name);
  shared.hook_input([](const at::Tensor& x, const Mode&) { return x; });
  EXPECT_EQ(clip->cut(TowerKind::image), 0) << "the sites are the same";
  image->reset();
  const auto all = clip->part({.images = true, .texts = true, .classes = true});
  EXPECT_EQ(all->sites().size(), clip->sites().size());
  EXPECT_EQ(clip->part({.classes = true})->image(), nullptr);
}

}  // namespace
}  // namespace espalier
