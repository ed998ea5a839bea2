#include "class_token_tower_internal.hpp"

#include <ATen/ops/tanh.h>

namespace espalier {
namespace {

constexpr PatchNames class_token_patches{.embeddings = "embeddings",
                                         .patch = "embeddings.patch_embeddings.projection",
                                         .class_token = "embeddings.cls_token",
                                         .positions = "embeddings.position_embeddings",
                                         .batched = true};

}  // namespace

ClassTokenTower::ClassTokenTower(const PatchConfig& patches, const TransformerConfig& config,
                                 const LayerNames& names, WeightReader& reader)
    : VisionTower(config.layers, config.width, patches.image_size, patches.patch_size),
      embedding_(patches, class_token_patches, reader),
      transformer_(TowerKind::image, config, names, reader),
      norm_(tower_site(TowerKind::image, config.layers, SiteRole::norm, "layernorm", "final")) {
  reader.bind_norm(norm_, config.width);
  if (reader.has("pooler.dense.weight")) {
    pooler_ =
        tower_site(TowerKind::image, config.layers + 2, SiteRole::linear, "pooler.dense", "pooler");
    reader.bind_linear(*pooler_, config.width, config.width);
  }
}

Activations ClassTokenTower::embed(const at::Tensor& pixels, const Mode& mode) const {
  return {embedding_.forward(pixels, mode), {}, {}};
}

at::Tensor ClassTokenTower::feature_positions(const Activations& activations) const {
  return class_token_positions(activations);
}

TowerOutput ClassTokenTower::pool(const Activations& output, const Mode& mode) const {
  const at::Tensor last = apply_norm(norm_, output.states, transformer_.config().eps, mode);
  const at::Tensor token = last.select(1, 0);
  const at::Tensor pooled = pooler_ ? at::tanh(apply_linear(*pooler_, token, mode)) : token;
  return {last, pooled, token, token};
}

void ClassTokenTower::collect_below(std::vector<Site*>& sites) {
  embedding_.collect(sites);
  transformer_.collect(sites);
  sites.push_back(&norm_);
  if (pooler_) sites.push_back(&*pooler_);
}

}  // namespace espalier
