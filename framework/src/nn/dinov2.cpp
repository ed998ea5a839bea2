// DINOv2 (Oquab et al. 2023), as Dinov2Model of Hugging Face has it.
#include "class_token_tower_internal.hpp"
#include "families_internal.hpp"

namespace espalier {
namespace {

constexpr LayerNames dinov2_layers{.prefix = "encoder.layer",
                                   .q = "attention.attention.query",
                                   .k = "attention.attention.key",
                                   .v = "attention.attention.value",
                                   .out = "attention.output.dense",
                                   .fc1 = "mlp.fc1",
                                   .fc2 = "mlp.fc2",
                                   .norm1 = "norm1",
                                   .norm2 = "norm2",
                                   .attention = "attention",
                                   .mlp = "mlp",
                                   .scale1 = "layer_scale1.lambda1",
                                   .scale2 = "layer_scale2.lambda1"};

}  // namespace

std::unique_ptr<AdaptableEncoder> build_dinov2(const FamilyInput& input) {
  const PatchConfig patches = patch_config(
      input.config,
      {.width = 768, .channels = 3, .image_size = 224, .patch_size = 14, .bias = true});
  TransformerConfig layers = input.config.transformer(base_layers(1e-6), "gelu");
  layers.qkv_bias = input.config.flag("qkv_bias", true);
  layers.intermediate = layers.width * input.config.integer("mlp_ratio", 4, 1, 64);
  if (input.config.flag("use_swiglu_ffn", false)) {
    input.config.fail("the gated MLP of DINOv2's giant model is not built here",
                      "`use_swiglu_ffn`: false", "true");
  }
  input.problems.throw_if_any();

  input.reader.ignore("classifier.");
  input.reader.ignore("embeddings.mask_token");
  return std::make_unique<AdaptableEncoder>(
      std::make_unique<ClassTokenTower>(patches, layers, dinov2_layers, input.reader), nullptr);
}

}  // namespace espalier
