#include <espalier/nn/transformer.hpp>

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>

#include <espalier/nn/attention.hpp>
#include <espalier/nn/weights.hpp>

namespace espalier {
namespace {

constexpr double quick_gelu_slope = 1.702;

// quick_gelu(u) = silu(a u) / a: the factors go into the two products, so that the activation is
// one pass over memory instead of three.
at::Tensor quick_gelu_mlp(const Site& fc1, const Site& fc2, const at::Tensor& x) {
  const at::Tensor rows = x.reshape({-1, x.size(-1)});
  at::Tensor inner = at::addmm(fc1.bias, rows, fc1.weight.t(), quick_gelu_slope, quick_gelu_slope);
  inner = inner.requires_grad() ? at::silu(inner) : at::silu_(inner);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = fc2.weight.size(0);
  return at::addmm(fc2.bias, inner, fc2.weight.t(), 1.0, 1.0 / quick_gelu_slope).view(shape);
}

at::Tensor scaled(const at::Tensor& x, const at::Tensor& scale) {
  return scale.defined() ? x * scale : x;
}

Site make_site(TowerKind tower, std::int64_t layer, SiteRole role, std::string name,
               std::string part) {
  Site site;
  site.name = std::move(name);
  site.role = role;
  site.part = std::move(part);
  site.tower = tower;
  site.layer = layer;
  return site;
}

class LayerBinder {
 public:
  LayerBinder(TowerKind tower, std::int64_t index, const LayerNames& names, WeightReader& reader)
      : tower_(tower),
        index_(index),
        reader_(reader),
        prefix_(std::string(names.prefix) + "." + std::to_string(index)) {}

  void linear(Site& site, std::string_view name, const char* part, std::int64_t out,
              std::int64_t in, bool bias = true) {
    place(site, SiteRole::linear, name, part);
    reader_.bind_linear(site, out, in, bias);
  }
  void norm(Site& site, std::string_view name, const char* part, std::int64_t width) {
    place(site, SiteRole::norm, name, part);
    reader_.bind_norm(site, width);
  }
  void place(Site& site, SiteRole role, std::string_view name, const char* part) {
    site = make_site(tower_, index_, role, path(name), part);
  }
  void scale(at::Tensor& slot, std::string_view name, std::int64_t width) {
    if (!name.empty()) reader_.bind(path(name), {width}, slot, WeightPlace{tower_, index_});
  }

 private:
  [[nodiscard]] std::string path(std::string_view name) const {
    return name.empty() ? prefix_ : prefix_ + "." + std::string(name);
  }

  TowerKind tower_;
  std::int64_t index_;
  WeightReader& reader_;
  std::string prefix_;
};

}  // namespace

std::optional<Activation> activation_of(std::string_view name) {
  if (name == "quick_gelu") return Activation::quick_gelu;
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new" || name == "gelu_fast") {
    return Activation::gelu_tanh;
  }
  if (name == "relu") return Activation::relu;
  return std::nullopt;
}

at::Tensor activate(Activation activation, at::Tensor x) {
  const bool in_place = !x.requires_grad();
  switch (activation) {
    case Activation::quick_gelu:
      return x * at::sigmoid(x * quick_gelu_slope);
    case Activation::gelu:
      return in_place ? at::gelu_(x) : at::gelu(x);
    case Activation::gelu_tanh:
      return in_place ? at::gelu_(x, "tanh") : at::gelu(x, "tanh");
    case Activation::relu:
      return in_place ? at::relu_(x) : at::relu(x);
  }
  return x;
}

at::Tensor at_positions(const at::Tensor& states, const at::Tensor& positions) {
  if (!positions.defined()) return states;
  const at::Tensor rows = at::arange(states.size(0), positions.options());
  return states.index({rows, positions}).unsqueeze(1);
}

at::Tensor apply_mlp(const Site& fc1, const Site& fc2, Activation activation, const at::Tensor& x,
                     const Mode& mode) {
  if (activation == Activation::quick_gelu && !fc1.hooked() && !fc2.hooked()) {
    return quick_gelu_mlp(fc1, fc2, x);
  }
  return apply_linear(fc2, activate(activation, apply_linear(fc1, x, mode)), mode);
}

Transformer::Transformer(TowerKind tower, const TransformerConfig& config, const LayerNames& names,
                         WeightReader& reader)
    : config_(config) {
  const std::int64_t w = config.width;
  for (std::int64_t i = 0; i < config.layers; ++i) {
    auto layer = std::make_unique<TransformerLayer>();
    LayerBinder bind(tower, i, names, reader);
    bind.place(layer->tokens, SiteRole::tokens, "", "layer");
    bind.norm(layer->norm1, names.norm1, "norm1", w);
    bind.linear(layer->q, names.q, "q", w, w, config.qkv_bias);
    bind.linear(layer->k, names.k, "k", w, w, config.qkv_bias);
    bind.linear(layer->v, names.v, "v", w, w, config.qkv_bias);
    bind.linear(layer->out, names.out, "out", w, w);
    bind.place(layer->attention, SiteRole::branch, names.attention, "attention");
    bind.scale(layer->scale1, names.scale1, w);
    bind.norm(layer->norm2, names.norm2, "norm2", w);
    bind.linear(layer->fc1, names.fc1, "fc1", config.intermediate, w);
    bind.linear(layer->fc2, names.fc2, "fc2", w, config.intermediate);
    bind.place(layer->mlp, SiteRole::branch, names.mlp, "mlp");
    bind.scale(layer->scale2, names.scale2, w);
    layers_.push_back(std::move(layer));
  }
}

void Transformer::collect(std::vector<Site*>& sites) {
  for (const auto& layer : layers_) {
    for (Site* site : {&layer->tokens, &layer->norm1, &layer->q, &layer->k, &layer->v, &layer->out,
                       &layer->attention, &layer->norm2, &layer->fc1, &layer->fc2, &layer->mlp}) {
      sites.push_back(site);
    }
  }
}

at::Tensor Transformer::attend(const TransformerLayer& layer, const at::Tensor& x,
                               const AttentionBias& bias, const Mode& mode,
                               const at::Tensor& positions) const {
  const at::Tensor queries = apply_linear(layer.q, at_positions(x, positions), mode);
  const at::Tensor mixed = attention(queries, apply_linear(layer.k, x, mode),
                                     apply_linear(layer.v, x, mode), config_.heads, bias);
  return scaled(apply_linear(layer.out, mixed, mode), layer.scale1);
}

at::Tensor Transformer::forward(const TransformerLayer& layer, at::Tensor h,
                                const AttentionBias& bias, const Mode& mode,
                                const at::Tensor& positions) const {
  const auto norm = [&](const Site& site, const at::Tensor& x) {
    return apply_norm(site, x, config_.eps, mode);
  };
  const auto attended = [&](const at::Tensor& x) {
    return layer.attention.leave(h, attend(layer, x, bias, mode, positions), mode);
  };
  const auto mlp = [&](const at::Tensor& x) {
    const at::Tensor y = apply_mlp(layer.fc1, layer.fc2, config_.activation, x, mode);
    return layer.mlp.leave(h, scaled(y, layer.scale2), mode);
  };
  if (config_.order == NormOrder::pre) {
    h = at_positions(h, positions) + attended(norm(layer.norm1, h));
    return h + mlp(norm(layer.norm2, h));
  }
  h = norm(layer.norm1, at_positions(h, positions) + attended(h));
  return norm(layer.norm2, h + mlp(h));
}

at::Tensor Transformer::run(at::Tensor h, std::int64_t from, std::int64_t to, const Mode& mode,
                            const at::Tensor& valid, const at::Tensor& relative,
                            const at::Tensor& positions) const {
  const AttentionBias bias = attention_bias(h, config_.causal, valid, relative);
  for (std::int64_t i = from; i < to; ++i) {
    const TransformerLayer& layer = *layers_[static_cast<std::size_t>(i)];
    h = layer.tokens.enter(std::move(h), mode);
    const bool all = i < to - 1 || layer.attention.hooked() || layer.mlp.hooked();
    if (positions.defined() && !all) {
      return forward(layer, h, bias_at(bias, positions, h), mode, positions);
    }
    h = forward(layer, std::move(h), bias, mode);
  }
  return at_positions(h, positions);
}

}  // namespace espalier
