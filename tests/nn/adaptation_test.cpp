// What methods do at the sites of an encoder.
#include <gmock/gmock.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <c10/core/GradMode.h>

#include "small_model.hpp"

namespace espalier {
namespace {

using cases::difference;
using cases::Model;
using cases::same;
using testing::HasSubstr;

TEST(Adaptation, LowRankHookEqualsTheMergedWeight) {
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

TEST(Adaptation, InputHookOfTheMlpEqualsScaledColumns) {
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

TEST(Adaptation, BranchHookSeesTheStreamBeforeTheNorm) {
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

TEST(Adaptation, PromptTokensMayBeInsertedAndReplacedInAnImage) {
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

TEST(Adaptation, GradientsReachWhatIsAttachedAndNothingElse) {
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

TEST(Adaptation, EveryWeightGetsAGradientWhenAllAreTrained) {
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

TEST(Adaptation, AReplacedWeightLowersTheCutAndComesBack) {
  Model model("bert-tiny");
  const std::int64_t layers = model.encoder->text()->layers();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), layers + 2);
  Site& norm = model.encoder->site("encoder.layer.2.output.LayerNorm");
  norm.bias = norm.bias.clone();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), 2);
  model.encoder->reset();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), layers + 2);
}

TEST(Adaptation, ClassVectorsPassThroughTheirSite) {
  Model model("clip-tiny-gelu");
  const at::Tensor vectors = at::full({5, 20}, 1.0);
  EXPECT_TRUE(same(model.encoder->classify(vectors, {}), vectors));
  model.encoder->sites(SiteRole::classifier)
      .front()
      ->hook_input([](const at::Tensor& x, const Mode&) { return x + 1.0; });
  EXPECT_TRUE(same(model.encoder->classify(vectors, {}), vectors + 1.0));
  EXPECT_EQ(model.encoder->cut(TowerKind::text), model.encoder->text()->layers() + 2);
}

TEST(Adaptation, ScoresPassThroughTheirSiteWithTheFeatures) {
  Model model("clip-tiny-gelu");
  const at::Tensor features = at::full({3, 20}, 2.0), logits = at::full({3, 5}, 1.0);
  EXPECT_TRUE(same(model.encoder->score(features, logits, {}), logits));
  model.encoder->site("logits").hook_output(
      [](const at::Tensor& x, const at::Tensor& y, const Mode&) { return y + x.sum(1, true); });
  EXPECT_TRUE(same(model.encoder->score(features, logits, {}), logits + 40.0));
  for (const TowerKind kind : {TowerKind::image, TowerKind::text}) {
    const Tower* const towers[] = {model.encoder->image(), model.encoder->text()};
    const Tower& tower = *towers[static_cast<std::size_t>(kind)];
    EXPECT_EQ(model.encoder->cut(kind), tower.layers() + 2) << "features stay as they are";
  }
  model.encoder->reset();
  EXPECT_TRUE(same(model.encoder->score(features, logits, {}), logits));
}

}  // namespace
}  // namespace espalier
