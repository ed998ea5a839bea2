#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/peft.hpp>

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <espalier/core/error.hpp>

#include "nn/cases.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::make;

struct Adapted {
  Adapted(const std::string& model, const std::string& towers,
          const PretrainedOptions& options = {}, std::int64_t top_layers = 0)
      : encoder(load_pretrained(cases::encoder_case(model), options)),
        method(make<Peft>("bitfit", {{"towers", towers}, {"top_layers", top_layers}})) {
    Random random(1, "init");
    method->attach(*encoder, parameters, random);
  }
  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;
};

// Per layer q, k, v, out and both norms have the width, fc1 the inner width, fc2 the width; a tower
// of CLIP has two more norms for images and one for texts.
TEST(BitFit, TrainsEveryBiasOfTheTowersThatAreChosen) {
  const auto expected = [](const Tower& tower, std::int64_t norms_outside) {
    const TransformerConfig& config = tower.transformer().config();
    return config.layers * (7 * config.width + config.intermediate) + norms_outside * config.width;
  };
  const Adapted image("clip-tiny-gelu", "image"), text("clip-tiny-gelu", "text");
  const Adapted both("clip-tiny-gelu", "both");
  EXPECT_EQ(image.parameters.count(), expected(*image.encoder->image(), 2));
  EXPECT_EQ(text.parameters.count(), expected(*text.encoder->text(), 1));
  EXPECT_EQ(both.parameters.count(), image.parameters.count() + text.parameters.count());
  for (const auto& [name, tensor] : image.parameters.entries()) {
    EXPECT_THAT(name, AllOf(StartsWith("vision_model."), EndsWith(".bias")));
    EXPECT_EQ(tensor.dim(), 1);
  }
  EXPECT_EQ(image.encoder->cut(TowerKind::image), -1);
  EXPECT_EQ(image.encoder->cut(TowerKind::text), image.encoder->text()->layers() + 2);
}

TEST(BitFit, OfTheTopLayersLeavesWhatIsBelowFrozen) {
  const Adapted top("clip-tiny-gelu", "image", {}, 1);
  const TransformerConfig& config = top.encoder->image()->transformer().config();
  EXPECT_EQ(top.encoder->cut(TowerKind::image), config.layers - 1);
  EXPECT_EQ(top.parameters.count(), 7 * config.width + config.intermediate + config.width)
      << "of a layer, and of the norm behind it";
}

TEST(BitFit, RefusesMoreLayersThanATowerThatItTrainsHas) {
  const auto layers = load_pretrained(cases::encoder_case("clip-tiny-gelu"))->image()->layers();
  EXPECT_NO_THROW(Adapted("clip-tiny-gelu", "image", {}, layers));
  const auto said =
      testing_support::error_of([&] { (void)Adapted("clip-tiny-gelu", "image", {}, layers + 1); });
  EXPECT_THAT(said, AllOf(HasSubstr("more than the image tower has"),
                          HasSubstr("at most " + std::to_string(layers))));
  EXPECT_NO_THROW(Adapted("vit-tiny", "text", {}, 99)) << "of a tower that is not there";
}

TEST(BitFit, LeavesThePoolerBesideTheFeatureAlone) {
  const Adapted vit("vit-tiny", "image");
  for (const auto& [name, tensor] : vit.parameters.entries()) {
    EXPECT_THAT(name, Not(HasSubstr("pooler")));
  }
  const Adapted siglip("siglip-tiny", "both");
  for (const auto& [name, tensor] : siglip.parameters.entries()) EXPECT_NE(name, "logit_bias");
}

// Against the gradient that PyTorch recorded for a bias of the tiny CLIP.
TEST(BitFit, HasTheGradientOfPyTorch) {
  const std::string name = "text_model.encoder.layers.0.self_attn.v_proj.bias";
  const NamedTensors recorded =
      read_named_tensors(cases::encoder_case("clip-tiny-gelu") / "expected.safetensors");
  const Adapted both("clip-tiny-gelu", "both");
  const NamedTensors out = run_on_tensors(*both.encoder, recorded, false);
  contrastive_loss(*both.encoder, out.at("logits_per_image")).backward();
  const at::Tensor& expected = recorded.at("grad." + name);
  for (const auto& [own, tensor] : both.parameters.entries()) {
    EXPECT_TRUE(tensor.grad().defined()) << own;
    if (own != name) continue;
    const double off = (tensor.grad() - expected).abs().max().item<double>();
    EXPECT_LT(off, 1e-4 * expected.abs().max().item<double>());
  }
}

TEST(BitFit, LeavesTheLoadedWeightsAsTheyAreWhenItTrains) {
  const Adapted image("clip-tiny-gelu", "image");
  const c10::AutoGradMode no_grad(false);
  for (at::Tensor& tensor : image.parameters.tensors()) tensor.add_(1);
  const auto fresh = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  for (std::size_t i = 0; i < fresh->weights().size(); ++i) {
    EXPECT_TRUE(image.encoder->weights()[i].frozen.equal(fresh->weights()[i].frozen));
  }
}

TEST(BitFit, SaysThatItNeedsFloat32) {
  try {
    const Adapted half("clip-tiny-gelu", "image",
                       {.families = {}, .device = "cpu", .precision = "bfloat16"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("encoder.precision=float32"));
  }
}

}  // namespace
}  // namespace espalier
