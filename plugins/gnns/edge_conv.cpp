// Edge convolution, Wang et al. 2019 (dynamic graph CNN, on a graph that stays as it is):
//   x'_i = max over j in N(i) of W_2 relu(W_0 [x_i, x_j - x_i] + b_0) + b_2,  by columns
// The largest of no neighbours is 0. Weights of edges play no part.
#include <ATen/TensorOperators.h>

#include <espalier/graph/segment.hpp>
#include <espalier/nn/perceptron.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace {

using espalier::Neighbourhood;

struct EdgeConvParams : espalier::StackParams {
  std::int64_t mlp_hidden = 0;
};

void bind(espalier::Schema<EdgeConvParams>& s) {
  bind_stack(s);
  s.field("mlp_hidden", &EdgeConvParams::mlp_hidden)
      .range(0, 65536)
      .doc("Hidden width of each convolution's perceptron, 0 for that of its output");
}

class EdgeConvolution final : public espalier::Convolution {
 public:
  explicit EdgeConvolution(std::int64_t mlp_hidden) : mlp_hidden_(mlp_hidden) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    in_ = in;
    const std::int64_t hidden = mlp_hidden_ == 0 ? out : mlp_hidden_;
    perceptron_.init({"nn.0", "nn.2"}, {2 * in, hidden, out}, "relu", parameters, random);
  }

  // W_0 [x_i, x_j - x_i] = (A - B) x_i + B x_j for W_0 = [A, B]: products with nodes, not edges.
  at::Tensor operator()(const Neighbourhood& on) const override {
    const at::Tensor& weight = perceptron_.first().weight();
    const at::Tensor a = weight.slice(1, 0, in_);
    const at::Tensor b = weight.slice(1, in_);
    const at::Tensor of_sources = on.sources.matmul(b.t());
    const at::Tensor of_targets = on.targets.matmul((a - b).t()) + perceptron_.first().bias();
    const at::Tensor edges = espalier::gather_sources(on.graph, of_sources) +
                             espalier::gather_targets(on.graph, of_targets);
    return espalier::segment_max(on.graph, perceptron_.after_first(edges));
  }

 private:
  std::int64_t mlp_hidden_;
  std::int64_t in_ = 0;
  espalier::Perceptron perceptron_;
};

class EdgeConv final : public espalier::GnnStack {
 public:
  using Params = EdgeConvParams;
  EdgeConv(const Params& params, const espalier::RunContext&)
      : GnnStack(params), mlp_hidden_(params.mlp_hidden) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<EdgeConvolution>(mlp_hidden_);
  }
  std::int64_t mlp_hidden_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "edge_conv", 1, EdgeConv, "Edge convolution (Wang et al. 2019)",
                   "graph bipartite")
