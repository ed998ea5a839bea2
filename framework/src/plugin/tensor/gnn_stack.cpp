#include <espalier/plugin/gnn_stack.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <espalier/graph/drop_edge.hpp>
#include <espalier/nn/dropout.hpp>

namespace espalier {
namespace {

constexpr double norm_eps = 1e-5;  // PyTorch's

std::string layer_name(std::int64_t layer) { return "layers." + std::to_string(layer); }

// The rows that statistics are taken of.
at::Tensor training_rows(const at::Tensor& states, const CsrGraph& graph) {
  if (!graph.label.defined()) return states;
  return states.index_select(0, (graph.label >= 0).nonzero().squeeze(1));
}

}  // namespace

Convolution::~Convolution() = default;
MessageWeights Convolution::attention(const Neighbourhood&) const { return {}; }

void GnnStack::add_norm(Layer& layer, Parameters& parameters) const {
  if (params_.norm == "none") return;
  layer.scale = parameters.add("norm.weight", at::ones({out_}, at::kFloat));
  layer.shift = parameters.add("norm.bias", at::zeros({out_}, at::kFloat));
}

void GnnStack::init(std::int64_t width, Parameters& parameters, Random& random) {
  out_ = params_.hidden == 0 ? width : params_.hidden;
  layers_.resize(static_cast<std::size_t>(params_.layers));
  for (std::int64_t l = 0; l < params_.layers; ++l) {
    Layer& layer = layers_[static_cast<std::size_t>(l)];
    const Parameters::Scope scope(parameters, layer_name(l));
    if (l > 0) add_norm(layer, parameters);
    layer.convolution = convolution(l);
    layer.convolution->init(l == 0 ? width : out_, out_, parameters, random);
  }
}

GnnStack::Entered GnnStack::enter(std::int64_t l, const at::Tensor& sources,
                                  const at::Tensor& targets, const CsrGraph& graph,
                                  const Mode& mode) const {
  const Layer& layer = layers_[static_cast<std::size_t>(l)];
  at::Tensor mean;
  at::Tensor factor;
  if (layer.scale.defined() && params_.norm == "batch") {
    const at::Tensor rows = training_rows(sources, graph);
    mean = rows.mean(0);
    factor = ((rows - mean).square().mean(0) + norm_eps).rsqrt() * layer.scale;
  }
  const auto entered = [&](const at::Tensor& h) {
    at::Tensor x = h;
    if (mean.defined()) {
      x = (x - mean) * factor + layer.shift;
    } else if (layer.scale.defined()) {
      x = at::layer_norm(x, {out_}, layer.scale, layer.shift, norm_eps);
    }
    if (l > 0) x = activate(params_.activation, x);
    return dropout(x, params_.dropout, mode, layer_name(l));
  };
  const at::Tensor first = entered(sources);
  return {first, targets.is_same(sources) ? first : entered(targets)};
}

at::Tensor GnnStack::step(std::int64_t l, const at::Tensor& sources, const at::Tensor& targets,
                          const at::Tensor& targets_0, const CsrGraph& graph,
                          const Mode& mode) const {
  const Entered in = enter(l, sources, targets, graph, mode);
  const CsrGraph thinned = drop_edges(graph, params_.drop_edge, mode, layer_name(l) + ".edges");
  const Layer& layer = layers_[static_cast<std::size_t>(l)];
  const at::Tensor h = (*layer.convolution)({in.sources, in.targets, targets_0, thinned});
  return params_.residual && l > 0 ? h + targets : h;
}

MessageWeights GnnStack::attention(std::int64_t l, const at::Tensor& sources,
                                   const at::Tensor& targets, const at::Tensor& targets_0,
                                   const CsrGraph& graph) const {
  const Entered in = enter(l, sources, targets, graph, {});
  return layers_[static_cast<std::size_t>(l)].convolution->attention(
      {in.sources, in.targets, targets_0, graph});
}

at::Tensor zero_bias(std::int64_t out, bool wanted, Parameters& parameters) {
  return wanted ? parameters.add("bias", at::zeros({out}, at::kFloat)) : at::Tensor();
}

}  // namespace espalier
