// Graph attention, Velickovic et al. 2018, by heads:
//   e_ij = LeakyReLU(a_src . W x_j + a_dst . W x_i [+ a_edge . W_edge e_ji])
//   x'_i = sum over j in N(i) and i of softmax_j(e_ij) W x_j,  side by side or averaged, + b
// The attributes of a node's edge to itself are the means of those that arrive.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>

#include <espalier/graph/attention.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_heads.hpp>

namespace {

using espalier::MessageWeights;
using espalier::Neighbourhood;

struct GatParams : espalier::LoopedAttentionParams {};

void bind(espalier::Schema<GatParams>& s) { bind_looped_attention(s); }

class GatConvolution final : public espalier::Convolution {
 public:
  explicit GatConvolution(const GatParams& params) : params_(params), heads_(params.heads) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    part_ = espalier::width_of_a_head(params_, out);
    const auto glorot = espalier::LinearInit::glorot;
    const auto vector = [&](const char* name) {
      return parameters.add(name, espalier::glorot_uniform({1, heads_, part_}, random));
    };
    linear_.init("lin", in, heads_ * part_, glorot, parameters, random, false);
    source_ = vector("att_src");
    target_ = vector("att_dst");
    if (params_.edge_width > 0) {
      of_edges_.init("lin_edge", params_.edge_width, heads_ * part_, glorot, parameters, random,
                     false);
      edge_ = vector("att_edge");
    }
    bias_ = espalier::zero_bias(out, params_.bias, parameters);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const auto values = on.mapped([&](const at::Tensor& x) { return linear_.product(x); });
    const at::Tensor h =
        espalier::propagate(on.graph, attention(on), values.sources, values.targets);
    return espalier::joined_heads(params_, h, bias_);
  }

  // A score is a product of x with a . W, so it needs no projected states.
  MessageWeights attention(const Neighbourhood& on) const override {
    const at::Tensor both = at::cat({folded(linear_, source_), folded(linear_, target_)});
    const auto scores = on.mapped([&](const at::Tensor& x) { return at::linear(x, both); });
    const auto half = [&](const at::Tensor& x, std::int64_t n) {
      return x.slice(1, n * heads_, (n + 1) * heads_);
    };
    espalier::AttentionScores all{.source = half(scores.sources, 0),
                                  .target = half(scores.targets, 1)};
    if (params_.self_loops) all.own = half(scores.targets, 0);
    if (params_.edge_width > 0) {
      const at::Tensor attributes = espalier::edge_attributes(on.graph, params_.edge_width);
      all.edge = at::linear(attributes, folded(of_edges_, edge_));
      if (params_.self_loops) all.own = all.own + mean_without_loops(on.graph, all.edge);
    }
    if (params_.self_loops) all.edge = without_loops(on.graph, all.edge, heads_);
    return espalier::attention_weights(on.graph, all, params_.negative_slope);
  }

 private:
  // a . W by heads, [heads, in].
  [[nodiscard]] at::Tensor folded(const espalier::Linear& linear, const at::Tensor& vector) const {
    const at::Tensor weight = linear.weight().view({heads_, part_, linear.weight().size(1)});
    return (weight * vector.view({heads_, part_, 1})).sum(1);
  }

  GatParams params_;
  std::int64_t heads_;
  std::int64_t part_ = 0;
  espalier::Linear linear_;
  espalier::Linear of_edges_;
  at::Tensor source_;
  at::Tensor target_;
  at::Tensor edge_;
  at::Tensor bias_;
};

class Gat final : public espalier::GnnStack {
 public:
  using Params = GatParams;
  Gat(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<GatConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gat", 1, Gat, "Graph attention (Velickovic et al. 2018)",
                   "graph bipartite node_rows edge_weight:edge_width")
