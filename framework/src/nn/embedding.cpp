#include "embedding_internal.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace espalier {

Site tower_site(TowerKind tower, std::int64_t layer, SiteRole role, std::string_view name,
                const char* part) {
  Site site;
  site.name = name;
  site.role = role;
  site.part = part;
  site.tower = tower;
  site.layer = layer;
  return site;
}

PatchEmbedding::PatchEmbedding(const PatchConfig& config, const PatchNames& names,
                               WeightReader& reader)
    : config_(config),
      patch_(tower_site(TowerKind::image, -1, SiteRole::linear, names.patch, "patch")),
      tokens_(tower_site(TowerKind::image, -1, SiteRole::tokens, names.embeddings, "embeddings")) {
  const WeightPlace place{TowerKind::image, -1};
  const std::int64_t w = config.width, side = config.patch_size;
  const std::int64_t grid = config.image_size / side;
  const bool with_class = !names.class_token.empty();
  const std::int64_t count = grid * grid + (with_class ? 1 : 0);
  using Shape = std::vector<std::int64_t>;
  reader.bind(patch_.name + ".weight", {w, config.channels, side, side}, patch_.weight, place);
  if (config.bias) reader.bind(patch_.name + ".bias", {w}, patch_.bias, place);
  if (with_class) {
    reader.bind(std::string(names.class_token), names.batched ? Shape{1, 1, w} : Shape{w},
                class_token_, place);
  }
  reader.bind(std::string(names.positions), names.batched ? Shape{1, count, w} : Shape{count, w},
              positions_, place);
}

at::Tensor PatchEmbedding::patches(const at::Tensor& pixels, const Mode& mode) const {
  const std::int64_t side = config_.patch_size, n = pixels.size(0), c = pixels.size(1);
  const std::int64_t rows = pixels.size(2) / side, columns = pixels.size(3) / side;
  const at::Tensor flat = pixels.narrow(2, 0, rows * side)
                              .narrow(3, 0, columns * side)
                              .reshape({n, c, rows, side, columns, side})
                              .permute({0, 2, 4, 1, 3, 5})
                              .reshape({n, rows * columns, c * side * side});
  const at::Tensor input = patch_.enter(flat, mode);
  return patch_.leave(input, at::linear(input, patch_.weight.flatten(1), patch_.bias), mode);
}

at::Tensor PatchEmbedding::positions(std::int64_t rows, std::int64_t columns) const {
  const at::Tensor all = positions_.reshape({-1, config_.width});
  const std::int64_t grid = config_.image_size / config_.patch_size;
  if (rows == grid && columns == grid) return all;
  const std::int64_t before = all.size(0) - grid * grid;
  const at::Tensor map = all.narrow(0, before, grid * grid)
                             .reshape({1, grid, grid, config_.width})
                             .permute({0, 3, 1, 2})
                             .to(at::kFloat);
  const at::Tensor resized = at::upsample_bicubic2d(map, {rows, columns}, /*align_corners=*/false)
                                 .permute({0, 2, 3, 1})
                                 .reshape({rows * columns, config_.width})
                                 .to(all.scalar_type());
  return before == 0 ? resized : at::cat({all.narrow(0, 0, before), resized});
}

at::Tensor PatchEmbedding::forward(const at::Tensor& pixels, const Mode& mode) const {
  const std::int64_t side = config_.patch_size;
  if (pixels.dim() != 4 || pixels.size(1) != config_.channels || pixels.size(2) < side ||
      pixels.size(3) < side) {
    throw Error({.what = "pictures do not fit the image tower",
                 .where = "pixel_values",
                 .expected = "[n, " + std::to_string(config_.channels) +
                             ", height, width], sides " + std::to_string(side) + " or more",
                 .found = shape_text(pixels.sizes().vec()),
                 .fix = {}});
  }
  at::Tensor h = patches(pixels.to(patch_.weight.options()), mode);
  if (class_token_.defined()) {
    h = at::cat({class_token_.reshape({1, 1, -1}).expand({h.size(0), 1, config_.width}), h}, 1);
  }
  h = h + positions(pixels.size(2) / side, pixels.size(3) / side);
  return tokens_.enter(std::move(h), mode);
}

void PatchEmbedding::collect(std::vector<Site*>& sites) {
  sites.push_back(&patch_);
  sites.push_back(&tokens_);
}

at::Tensor class_token_positions(const Activations& activations) {
  const at::Tensor& states = activations.states;
  return at::zeros({states.size(0)}, states.options().dtype(at::kLong));
}

WordEmbedding::WordEmbedding(std::string_view module, std::string_view words,
                             std::string_view positions, std::int64_t vocabulary,
                             std::int64_t max_length, std::int64_t width, WeightReader& reader) {
  const WeightPlace place{TowerKind::text, -1};
  const std::string prefix = std::string(module) + ".";
  words_ = tower_site(TowerKind::text, -1, SiteRole::tokens, prefix + std::string(words), "words");
  tokens_ = tower_site(TowerKind::text, -1, SiteRole::tokens, module, "embeddings");
  reader.bind(words_.name + ".weight", {vocabulary, width}, table_, place);
  reader.bind(prefix + std::string(positions) + ".weight", {max_length, width}, positions_, place);
}

at::Tensor WordEmbedding::forward(const TokenBatch& batch, const Mode& mode) const {
  return forward(batch, at::arange(batch.ids.size(1), batch.ids.options()), {}, mode);
}

at::Tensor WordEmbedding::forward(const TokenBatch& batch, const at::Tensor& positions,
                                  const at::Tensor& extra, const Mode& mode) const {
  at::Tensor h =
      words_.enter(batch.words.defined() ? batch.words : at::embedding(table_, batch.ids), mode);
  if (extra.defined()) h = h + extra;
  return tokens_.enter(h + at::embedding(positions_, positions), mode);
}

void WordEmbedding::collect(std::vector<Site*>& sites) {
  sites.push_back(&words_);
  sites.push_back(&tokens_);
}

}  // namespace espalier
