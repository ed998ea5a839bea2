#include "blip_vision_internal.hpp"

namespace espalier {
namespace {

constexpr LayerNames blip_layers{.prefix = "vision_model.encoder.layers",
                                 .q = "self_attn.qkv.q",
                                 .k = "self_attn.qkv.k",
                                 .v = "self_attn.qkv.v",
                                 .out = "self_attn.projection",
                                 .fc1 = "mlp.fc1",
                                 .fc2 = "mlp.fc2",
                                 .norm1 = "layer_norm1",
                                 .norm2 = "layer_norm2",
                                 .attention = "self_attn",
                                 .mlp = "mlp",
                                 .scale1 = {},
                                 .scale2 = {}};

constexpr PatchNames blip_patches{.embeddings = "vision_model.embeddings",
                                  .patch = "vision_model.embeddings.patch_embedding",
                                  .class_token = "vision_model.embeddings.class_embedding",
                                  .positions = "vision_model.embeddings.position_embedding",
                                  .batched = true};

}  // namespace

BlipVision::BlipVision(const PatchConfig& patches, const TransformerConfig& config,
                       WeightReader& reader)
    : embedding_(patches, blip_patches, reader),
      transformer_(TowerKind::image, config, blip_layers, reader),
      norm_(tower_site(TowerKind::image, config.layers, SiteRole::norm,
                       "vision_model.post_layernorm", "final")) {
  reader.bind_norm(norm_, config.width);
}

at::Tensor BlipVision::embed(const at::Tensor& pixels) const {
  return embedding_.forward(pixels, {});
}

at::Tensor BlipVision::forward(const at::Tensor& pixels) const {
  return normed(transformer_.run(embed(pixels), 0, transformer_.config().layers, {}));
}

at::Tensor BlipVision::normed(const at::Tensor& states) const {
  return apply_norm(norm_, states, transformer_.config().eps, {});
}

}  // namespace espalier
