#include <espalier/nn/adaptable.hpp>

#include <gmock/gmock.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <set>

#include "cases.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;

bool same(const at::Tensor& a, const at::Tensor& b) { return a.equal(b); }

double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

struct Model {
  explicit Model(const std::string& name)
      : encoder(load_pretrained(cases::encoder_case(name))),
        inputs(read_named_tensors(cases::encoder_case(name) / "expected.safetensors")) {}

  [[nodiscard]] at::Tensor image() const {
    return forward(*encoder->image(), inputs.at("pixel_values")).feature;
  }
  [[nodiscard]] at::Tensor text() const {
    return forward(*encoder->text(), {inputs.at("input_ids"), {}, {}}).feature;
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  NamedTensors inputs;
};

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
  const auto check = [](const Tower& tower, const at::Tensor& input, const at::Tensor& feature) {
    const std::int64_t last = tower.layers() + 2;
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
    check(*image, model.inputs.at("pixel_values"), model.image());
  }
  if (const auto* text = model.encoder->text()) {
    check(*text, model.inputs.at("input_ids"), model.text());
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
      if (site->tower != kind || site->role == SiteRole::classifier || site->part == "pooler") {
        continue;
      }
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

TEST(Adaptable, LowRankHookEqualsTheMergedWeight) {
  Model model("clip-tiny-gelu");
  const c10::AutoGradMode no_grad(false);
  const NamedTensors& some = model.inputs;
  const at::Tensor down =
      some.at("grad.vision_model.encoder.layers.0.self_attn.q_proj.weight").narrow(0, 0, 2) * 100.0;
  const at::Tensor up = down.narrow(1, 0, 40).t().contiguous();
  Site& site = model.encoder->site("vision_model.encoder.layers.1.self_attn.v_proj");
  site.hook_output([&](const at::Tensor& x, const at::Tensor& y, const Mode&) {
    return y + at::linear(at::linear(x, down), up);
  });
  const at::Tensor hooked = model.image();
  model.encoder->reset();
  const at::Tensor plain = model.image();
  site.weight = site.weight + at::matmul(up, down);
  EXPECT_LT(difference(model.image(), hooked), 1e-5);
  EXPECT_GT(difference(plain, hooked), 1e-3);
  model.encoder->reset();
  EXPECT_TRUE(same(model.image(), plain));
}

TEST(Adaptable, InputHookOfTheMlpEqualsScaledColumns) {
  Model model("clip-tiny-gelu");
  const c10::AutoGradMode no_grad(false);
  Site& fc2 = model.encoder->site("vision_model.encoder.layers.2.mlp.fc2");
  const at::Tensor scale = at::full({fc2.weight.size(1)}, 0.7);
  fc2.hook_input([&](const at::Tensor& x, const Mode&) { return x * scale; });
  const at::Tensor hooked = model.image();
  model.encoder->reset();
  fc2.weight = fc2.weight * scale;
  EXPECT_LT(difference(model.image(), hooked), 1e-5);
}

TEST(Adaptable, BranchHookSeesTheStreamBeforeTheNorm) {
  Model model("clip-tiny-gelu");
  const c10::AutoGradMode no_grad(false);
  const VisionTower& tower = *model.encoder->image();
  const Activations entering =
      tower.run(tower.embed(model.inputs.at("pixel_values"), {}), 0, 1, {});
  at::Tensor seen, added;
  model.encoder->site("vision_model.encoder.layers.1.self_attn")
      .hook_output([&](const at::Tensor& x, const at::Tensor& y, const Mode&) {
        seen = x;
        added = y;
        return y * 0.0;
      });
  at::Tensor mlp_input;
  model.encoder->site("vision_model.encoder.layers.1.mlp")
      .hook_output(
          [&](const at::Tensor& x, const at::Tensor& y, const Mode&) { return mlp_input = x, y; });
  (void)tower.run(entering, 1, 2, {});
  EXPECT_TRUE(same(seen, entering.states));
  EXPECT_TRUE(same(mlp_input, entering.states));  // the attention's branch was multiplied by 0
  EXPECT_GT(added.abs().max().item<double>(), 0.0);
}

TEST(Adaptable, PromptTokensMayBeInsertedAndReplacedInAnImage) {
  Model model("vit-tiny");
  const c10::AutoGradMode no_grad(false);
  const at::Tensor prompt = at::full({1, 3, 48}, 0.1);
  const auto with_prompt = [&](const at::Tensor& x, std::int64_t rest) {
    return at::cat(
        {x.narrow(1, 0, 1), prompt.expand({x.size(0), 3, 48}), x.narrow(1, rest, x.size(1) - rest)},
        1);
  };
  const auto layers = model.encoder->sites(SiteRole::tokens, "layer");
  layers[0]->hook_input([&](const at::Tensor& x, const Mode&) { return with_prompt(x, 1); });
  for (std::size_t i = 1; i < layers.size(); ++i) {
    layers[i]->hook_input([&](const at::Tensor& x, const Mode&) { return with_prompt(x, 4); });
  }
  const auto out = forward(*model.encoder->image(), model.inputs.at("pixel_values"));
  EXPECT_EQ(out.last_hidden_state.size(1), 17 + 3);
}

TEST(Adaptable, GradientsReachWhatIsAttachedAndNothingElse) {
  Model model("clip-tiny-gelu");
  at::Tensor scale = at::full({40}, 1.0).set_requires_grad(true);
  model.encoder->site("vision_model.encoder.layers.1.layer_norm1")
      .hook_output([&](const at::Tensor&, const at::Tensor& y, const Mode&) { return y * scale; });
  model.image().sum().backward();
  EXPECT_GT(scale.grad().abs().min().item<double>(), 0.0);
  for (const WeightSlot& weight : model.encoder->weights()) {
    EXPECT_FALSE(weight.slot->requires_grad()) << weight.name;
  }
}

TEST(Adaptable, EveryWeightGetsAGradientWhenAllAreTrained) {
  for (const char* name : {"clip-tiny-gelu", "siglip-tiny"}) {
    Model model(name);
    for (const WeightSlot& weight : model.encoder->weights()) {
      *weight.slot = weight.slot->detach().clone().set_requires_grad(true);
    }
    EXPECT_EQ(model.encoder->cut(TowerKind::image), -1);
    const NamedTensors out = run_on_tensors(*model.encoder, model.inputs, false);
    contrastive_loss(*model.encoder, out.at("logits_per_image")).backward();
    for (const WeightSlot& weight : model.encoder->weights()) {
      EXPECT_TRUE(weight.slot->grad().defined()) << weight.name;
    }
  }
}

TEST(Adaptable, AReplacedWeightLowersTheCutAndComesBack) {
  Model model("bert-tiny");
  const std::int64_t layers = model.encoder->text()->layers();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), layers + 2);
  Site& norm = model.encoder->site("encoder.layer.2.output.LayerNorm");
  norm.bias = norm.bias.clone();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), 2);
  model.encoder->reset();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), layers + 2);
}

TEST(Adaptable, ClassVectorsPassThroughTheirSite) {
  Model model("clip-tiny-gelu");
  const at::Tensor vectors = at::full({5, 20}, 1.0);
  EXPECT_TRUE(same(model.encoder->classify(vectors, {}), vectors));
  model.encoder->sites(SiteRole::classifier)
      .front()
      ->hook_input([](const at::Tensor& x, const Mode&) { return x + 1.0; });
  EXPECT_TRUE(same(model.encoder->classify(vectors, {}), vectors + 1.0));
  EXPECT_EQ(model.encoder->cut(TowerKind::text), model.encoder->text()->layers() + 2);
}

}  // namespace
}  // namespace espalier
