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
    const at::Tensor whole = tower.head(tower.run(embedded, 0, tower.layers())).feature;
    for (std::int64_t cut = 0; cut <= tower.layers(); ++cut) {
      const Activations below = tower.run(embedded, 0, cut);
      EXPECT_TRUE(same(tower.head(tower.run(below, cut, tower.layers())).feature, whole)) << cut;
    }
  };
  if (const auto* image = model.encoder->image()) {
    check(*image, image->embed(model.inputs.at("pixel_values")));
  }
  if (const auto* text = model.encoder->text()) {
    check(*text, text->embed({model.inputs.at("input_ids"), {}, {}}));
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
        site->outputs.push_back([](const at::Tensor&, const at::Tensor& y) { return y * 1.5; });
      } else {
        site->inputs.push_back([](const at::Tensor& x) {
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

TEST(Adaptable, LowRankHookEqualsTheMergedWeight) {
  Model model("clip-tiny-gelu");
  const c10::AutoGradMode no_grad(false);
  const NamedTensors& some = model.inputs;
  const at::Tensor down =
      some.at("grad.vision_model.encoder.layers.0.self_attn.q_proj.weight").narrow(0, 0, 2) * 100.0;
  const at::Tensor up = down.narrow(1, 0, 40).t().contiguous();
  Site& site = model.encoder->site("vision_model.encoder.layers.1.self_attn.v_proj");
  site.outputs.push_back([&](const at::Tensor& x, const at::Tensor& y) {
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
  fc2.inputs.push_back([&](const at::Tensor& x) { return x * scale; });
  const at::Tensor hooked = model.image();
  model.encoder->reset();
  fc2.weight = fc2.weight * scale;
  EXPECT_LT(difference(model.image(), hooked), 1e-5);
}

TEST(Adaptable, BranchHookSeesTheStreamBeforeTheNorm) {
  Model model("clip-tiny-gelu");
  const c10::AutoGradMode no_grad(false);
  const VisionTower& tower = *model.encoder->image();
  const Activations entering = tower.run(tower.embed(model.inputs.at("pixel_values")), 0, 1);
  at::Tensor seen, added;
  model.encoder->site("vision_model.encoder.layers.1.self_attn")
      .outputs.push_back([&](const at::Tensor& x, const at::Tensor& y) {
        seen = x;
        added = y;
        return y * 0.0;
      });
  at::Tensor mlp_input;
  model.encoder->site("vision_model.encoder.layers.1.mlp")
      .outputs.push_back(
          [&](const at::Tensor& x, const at::Tensor& y) { return mlp_input = x, y; });
  (void)tower.run(entering, 1, 2);
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
  layers[0]->inputs.push_back([&](const at::Tensor& x) { return with_prompt(x, 1); });
  for (std::size_t i = 1; i < layers.size(); ++i) {
    layers[i]->inputs.push_back([&](const at::Tensor& x) { return with_prompt(x, 4); });
  }
  const auto out = forward(*model.encoder->image(), model.inputs.at("pixel_values"));
  EXPECT_EQ(out.last_hidden_state.size(1), 17 + 3);
}

TEST(Adaptable, GradientsReachWhatIsAttachedAndNothingElse) {
  Model model("clip-tiny-gelu");
  at::Tensor scale = at::full({40}, 1.0).set_requires_grad(true);
  model.encoder->site("vision_model.encoder.layers.1.layer_norm1")
      .outputs.push_back([&](const at::Tensor&, const at::Tensor& y) { return y * scale; });
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
  EXPECT_EQ(model.encoder->cut(TowerKind::text), layers + 1);
  Site& norm = model.encoder->site("encoder.layer.2.output.LayerNorm");
  norm.bias = norm.bias.clone();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), 2);
  model.encoder->reset();
  EXPECT_EQ(model.encoder->cut(TowerKind::text), layers + 1);
}

TEST(Adaptable, ClassVectorsPassThroughTheirSite) {
  Model model("clip-tiny-gelu");
  const at::Tensor vectors = at::full({5, 20}, 1.0);
  EXPECT_TRUE(same(model.encoder->classify(vectors), vectors));
  model.encoder->sites(SiteRole::classifier).front()->inputs.push_back([](const at::Tensor& x) {
    return x + 1.0;
  });
  EXPECT_TRUE(same(model.encoder->classify(vectors), vectors + 1.0));
  EXPECT_EQ(model.encoder->cut(TowerKind::text), model.encoder->text()->layers() + 1);
}

}  // namespace
}  // namespace espalier
