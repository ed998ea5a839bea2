// The one transformer encoder that all model families share.
#pragma once

#include <cstdint>
#include <espalier/nn/site.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// quick_gelu is x sigmoid(1.702 x); gelu the form with erf; gelu_tanh its approximation by tanh
// (Hendrycks and Gimpel 2016).
enum class Activation { quick_gelu, gelu, gelu_tanh, relu };

// By Hugging Face's names, such as `gelu_pytorch_tanh`; empty where there is none.
[[nodiscard]] std::optional<Activation> activation_of(std::string_view name);
// May overwrite `x` where no gradient flows through it.
[[nodiscard]] at::Tensor activate(Activation activation, at::Tensor x);

// pre: h + f(norm(h)), as in CLIP and ViT. post: norm(h + f(h)), as in BERT.
enum class NormOrder { pre, post };

struct TransformerConfig {
  std::int64_t layers = 0;
  std::int64_t width = 0;
  std::int64_t heads = 0;         // divides the width
  std::int64_t intermediate = 0;  // width inside the MLP
  double eps = 1e-5;              // of the norms
  Activation activation = Activation::gelu;
  NormOrder order = NormOrder::pre;
  bool causal = false;
  bool qkv_bias = true;
};

// Where a layer's modules are in a checkpoint, below `prefix` and the layer's number.
struct LayerNames {
  std::string_view prefix;  // `vision_model.encoder.layers`
  std::string_view q, k, v, out, fc1, fc2, norm1, norm2;
  std::string_view attention, mlp;  // names of the branches
  std::string_view scale1, scale2;  // layer scale [width]; empty: none
};

struct TransformerLayer {
  Site tokens, norm1, norm2, q, k, v, out, fc1, fc2, attention, mlp;
  at::Tensor scale1, scale2;  // undefined: 1
};

class WeightReader;
struct AttentionBias;

// [n, l, width] to [n, l, width]. Gradients flow to whatever requires them.
class Transformer {
 public:
  // Binds every weight in `reader`, which fills them in at its finish().
  Transformer(TowerKind tower, const TransformerConfig& config, const LayerNames& names,
              WeightReader& reader);

  // Layers [from, to). `valid` is bool [n, l] or undefined; `relative` [1, heads, l, l] or
  // undefined. `positions`, int64 [n] or undefined, are those of which alone something is wanted:
  // then it gives [n, 1, width], and the last of the layers computes keys and values of all
  // positions, and everything behind them for these, unless one of its branches is hooked.
  [[nodiscard]] at::Tensor run(at::Tensor h, std::int64_t from, std::int64_t to, const Mode& mode,
                               const at::Tensor& valid = {}, const at::Tensor& relative = {},
                               const at::Tensor& positions = {}) const;

  [[nodiscard]] const TransformerConfig& config() const noexcept { return config_; }
  [[nodiscard]] at::Device device() const { return layers_.front()->q.weight.device(); }
  [[nodiscard]] at::ScalarType dtype() const { return layers_.front()->q.weight.scalar_type(); }
  // Adds every site, from the bottom up.
  void collect(std::vector<Site*>& sites);

 private:
  [[nodiscard]] at::Tensor forward(const TransformerLayer& layer, at::Tensor h,
                                   const AttentionBias& bias, const Mode& mode,
                                   const at::Tensor& positions = {}) const;
  [[nodiscard]] at::Tensor attend(const TransformerLayer& layer, const at::Tensor& x,
                                  const AttentionBias& bias, const Mode& mode,
                                  const at::Tensor& positions) const;

  TransformerConfig config_;
  std::vector<std::unique_ptr<TransformerLayer>> layers_;
};

// Of [n, l, w] the states at `positions`, int64 [n], as [n, 1, w]; all where it is undefined.
[[nodiscard]] at::Tensor at_positions(const at::Tensor& states, const at::Tensor& positions);

// fc2(activation(fc1(x))).
[[nodiscard]] at::Tensor apply_mlp(const Site& fc1, const Site& fc2, Activation activation,
                                   const at::Tensor& x, const Mode& mode);

}  // namespace espalier
