// What enters the first layer: patches of a picture, words of a text, and their positions.
#pragma once

#include <espalier/nn/tower.hpp>
#include <espalier/nn/weights.hpp>
#include <string_view>

#include "config_internal.hpp"

namespace espalier {

// Where the parts are in a checkpoint.
struct PatchNames {
  std::string_view embeddings;   // the module, for the name of the tokens site
  std::string_view patch;        // the convolution
  std::string_view class_token;  // empty: none
  std::string_view positions;
  bool batched;  // the class token is stored as [1, 1, w] and positions as [1, p, w]
};

// Patches by one matrix product, the class token before them, and positions added. Where the
// picture has another size than the model was made for, positions are interpolated on their grid,
// bicubic with a = -0.75, as in Hugging Face's interpolate_pos_encoding.
class PatchEmbedding {
 public:
  PatchEmbedding(const PatchConfig& config, const PatchNames& names, WeightReader& reader);

  // [n, channels, height, width] to [n, l, width]. Throws Error on another number of channels and
  // on pictures smaller than a patch.
  [[nodiscard]] at::Tensor forward(const at::Tensor& pixels, const Mode& mode) const;
  void collect(std::vector<Site*>& sites);

 private:
  [[nodiscard]] at::Tensor patches(const at::Tensor& pixels, const Mode& mode) const;
  [[nodiscard]] at::Tensor positions(std::int64_t rows, std::int64_t columns) const;

  PatchConfig config_;
  Site patch_, tokens_;
  at::Tensor class_token_, positions_;
};

// That of the class token in each row, int64 [n]: it is the first.
[[nodiscard]] at::Tensor class_token_positions(const Activations& activations);

// Word embeddings and learned positions.
class WordEmbedding {
 public:
  // `module` is such as `text_model.embeddings`; `words` and `positions` are below it.
  WordEmbedding(std::string_view module, std::string_view words, std::string_view positions,
                std::int64_t vocabulary, std::int64_t max_length, std::int64_t width,
                WeightReader& reader);

  // [n, l, width] with positions 0, 1, ...
  [[nodiscard]] at::Tensor forward(const TokenBatch& batch, const Mode& mode) const;
  // The same with the given positions, int64 [l] or [n, l], and `extra` (undefined: none) added.
  [[nodiscard]] at::Tensor forward(const TokenBatch& batch, const at::Tensor& positions,
                                   const at::Tensor& extra, const Mode& mode) const;
  void collect(std::vector<Site*>& sites);

 private:
  Site words_, tokens_;
  at::Tensor table_, positions_;
};

// A site of a tower's embeddings or head.
[[nodiscard]] Site tower_site(TowerKind tower, std::int64_t layer, SiteRole role,
                              std::string_view name, const char* part);

}  // namespace espalier
