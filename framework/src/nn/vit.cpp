// ViT (Dosovitskiy et al. 2021), as ViTModel of Hugging Face has it. A classification head is left
// out: the feature is the class token after the final norm.
#include "class_token_tower_internal.hpp"
#include "families_internal.hpp"

namespace espalier {
namespace {

constexpr LayerNames vit_layers{.prefix = "encoder.layer",
                                .q = "attention.attention.query",
                                .k = "attention.attention.key",
                                .v = "attention.attention.value",
                                .out = "attention.output.dense",
                                .fc1 = "intermediate.dense",
                                .fc2 = "output.dense",
                                .norm1 = "layernorm_before",
                                .norm2 = "layernorm_after",
                                .attention = "attention",
                                .mlp = "output",
                                .scale1 = {},
                                .scale2 = {}};

}  // namespace

std::unique_ptr<AdaptableEncoder> build_vit(const FamilyInput& input) {
  const PatchConfig patches = patch_config(input.config, {});
  TransformerConfig layers = input.config.transformer(base_layers(1e-12), "gelu");
  layers.qkv_bias = input.config.flag("qkv_bias", true);
  const std::string pooler = input.config.text("pooler_act", "tanh");
  if (pooler != "tanh") {
    input.config.fail("the pooler's activation `pooler_act` is not known here", "tanh", pooler);
  }
  input.problems.throw_if_any();

  input.reader.ignore("classifier.");
  input.reader.ignore("embeddings.mask_token");
  return std::make_unique<AdaptableEncoder>(
      std::make_unique<ClassTokenTower>(patches, layers, vit_layers, input.reader), nullptr);
}

}  // namespace espalier
