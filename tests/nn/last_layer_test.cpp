// A pass to the feature computes one position of the last layer where the feature is made of one.
#include <gtest/gtest.h>

#include <ATen/ops/linspace.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <espalier/core/file.hpp>
#include <map>

#include "small_model.hpp"

namespace espalier {
namespace {

using cases::difference;

// Between products of one row and of many, relative to numbers of about 1; of gradients to the
// largest.
constexpr double rounding = 1e-5;

// A small model, of which sentence encoders take the class token.
class SmallModel {
 public:
  explicit SmallModel(const std::string& name) : copy_(cases::encoder_case(name)) {
    const bool sentences = name.starts_with("bert") || name.starts_with("mpnet");
    if (sentences) {
      std::filesystem::create_directories(copy_ / "1_Pooling");
      write_file(copy_ / "1_Pooling/config.json", R"({"pooling_mode_cls_token": true})");
      write_file(copy_ / "modules.json",
                 R"([{"idx": 0, "name": "0", "path": "", "type": "a.models.Transformer"},
                     {"idx": 1, "name": "1", "path": "1_Pooling", "type": "a.models.Pooling"}])");
    }
    encoder = load_pretrained(copy_.folder());
    inputs = read_named_tensors(copy_ / "expected.safetensors");
  }

  // What enters the first layer of each tower; of sentence encoders with padding.
  [[nodiscard]] std::map<const Tower*, Activations> entering() const {
    std::map<const Tower*, Activations> all;
    if (const auto* image = encoder->image()) {
      all[image] = image->embed(inputs.at("pixel_values"), {});
    }
    if (const auto* text = encoder->text()) {
      at::Tensor valid =
          inputs.contains("attention_mask") ? inputs.at("attention_mask").ne(0) : at::Tensor();
      if (text->batching() != TextBatching::equal_length) valid.reset();
      all[text] = text->embed({inputs.at("input_ids").to(at::kLong), valid, {}}, {});
    }
    return all;
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  NamedTensors inputs;

 private:
  cases::CaseCopy copy_;
};

at::Tensor whole_pass(const Tower& tower, const Activations& entering) {
  return tower.head(tower.run(entering, 0, tower.layers(), {}), {}).feature;
}

at::Tensor pass_to_feature(const Tower& tower, const Activations& entering) {
  return tower.advance(entering, 0, tower.layers() + 2, {}).states;
}

using Pass = at::Tensor (*)(const Tower&, const Activations&);

// Of a sum with other weights for every number of the features, by the trained weights' names.
std::map<std::string, at::Tensor> gradients(const std::string& name, Pass pass) {
  const SmallModel model(name);
  for (const WeightSlot& weight : model.encoder->weights()) {
    *weight.slot = weight.frozen.detach().clone().requires_grad_();
  }
  at::Tensor sum;
  for (const auto& [tower, entering] : model.entering()) {
    const at::Tensor feature = pass(*tower, entering);
    const at::Tensor part =
        (feature * at::linspace(-1, 1, feature.numel()).view(feature.sizes())).sum();
    sum = sum.defined() ? sum + part : part;
  }
  sum.backward();
  std::map<std::string, at::Tensor> all;
  for (const WeightSlot& weight : model.encoder->weights()) {
    if (weight.slot->grad().defined()) all[weight.name] = weight.slot->grad();
  }
  return all;
}

class LastLayer : public testing::TestWithParam<const char*> {};

TEST_P(LastLayer, GivesTheFeatureOfAWholePass) {
  const SmallModel model(GetParam());
  const c10::AutoGradMode no_grad(false);
  for (const auto& [tower, entering] : model.entering()) {
    const at::Tensor whole = whole_pass(*tower, entering);
    EXPECT_LT(difference(pass_to_feature(*tower, entering), whole), rounding);
    EXPECT_GT(difference(whole.narrow(0, 0, 1), whole.narrow(0, 1, 1)), 100 * rounding);
  }
}

TEST_P(LastLayer, GivesTheGradientsOfAWholePass) {
  const auto whole = gradients(GetParam(), whole_pass);
  const auto found = gradients(GetParam(), pass_to_feature);
  ASSERT_EQ(found.size(), whole.size());
  ASSERT_GT(whole.size(), 20U);
  for (const auto& [name, gradient] : whole) {
    const double largest = gradient.abs().max().item<double>();
    EXPECT_LE(difference(found.at(name), gradient), rounding * std::max(1.0, largest)) << name;
  }
}

// How many positions the site's hook is given in a pass to the feature.
std::int64_t positions_at(const SmallModel& model, Site& site) {
  std::int64_t seen = 0;
  const auto look = [&](const at::Tensor& x) { seen = x.size(1); };
  site.hook_input([&](const at::Tensor& x, const Mode&) { return look(x), x; });
  for (const auto& [tower, entering] : model.entering()) {
    if (tower->kind() == site.tower) (void)pass_to_feature(*tower, entering);
  }
  model.encoder->reset();
  return seen;
}

TEST_P(LastLayer, ComputesOnePositionBehindItsKeysAndValues) {
  const SmallModel model(GetParam());
  const c10::AutoGradMode no_grad(false);
  for (const auto& [tower, entering] : model.entering()) {
    const std::int64_t last = tower->layers() - 1, all = entering.states.size(1);
    for (Site* site : model.encoder->sites(SiteRole::linear)) {
      if (site->tower != tower->kind() || site->layer < 0 || site->layer > last) continue;
      const bool of_all = site->layer < last || site->part == "k" || site->part == "v";
      EXPECT_EQ(positions_at(model, *site), of_all ? all : 1) << site->name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, LastLayer,
                         testing::Values("clip-tiny-gelu", "vit-tiny", "dinov2-tiny", "bert-tiny",
                                         "bert-decoder-tiny", "mpnet-tiny"));

TEST(LastLayerOfSiglip, ReadsOnePositionOfTextsAndAllOfPictures) {
  const SmallModel model("siglip-tiny");
  const c10::AutoGradMode no_grad(false);
  for (const auto& [tower, entering] : model.entering()) {
    const bool texts = tower->kind() == TowerKind::text;
    EXPECT_EQ(tower->feature_positions(entering).defined(), texts);
    EXPECT_EQ(tower->advance(entering, 0, tower->layers(), {}).states.size(1),
              texts ? 1 : entering.states.size(1));
    EXPECT_LT(difference(pass_to_feature(*tower, entering), whole_pass(*tower, entering)),
              rounding);
  }
}

TEST(LastLayerOfClip, ComputesAllPositionsWhereABranchMayMixThem) {
  const SmallModel model("clip-tiny-gelu");
  const c10::AutoGradMode no_grad(false);
  for (const char* branch : {"self_attn", "mlp"}) {
    std::vector<std::int64_t> seen;
    const VisionTower& tower = *model.encoder->image();
    const std::string layer =
        "vision_model.encoder.layers." + std::to_string(tower.layers() - 1) + ".";
    Site& site = model.encoder->site(layer + branch);
    site.hook_output([&](const at::Tensor& x, const at::Tensor& y, const Mode&) {
      seen = {x.size(1), y.size(1)};
      return y + y.mean(1, true);
    });
    const Activations entering = model.entering().at(&tower);
    const at::Tensor feature = pass_to_feature(tower, entering);
    EXPECT_EQ(seen, (std::vector{entering.states.size(1), entering.states.size(1)})) << branch;
    EXPECT_LT(difference(feature, whole_pass(tower, entering)), rounding) << branch;
    model.encoder->reset();
  }
}

}  // namespace
}  // namespace espalier
