// Dynamic graph attention, Brody et al. 2022, by heads:
//   e_ij = a . LeakyReLU(W_l x_j + b_l + W_r x_i + b_r [+ W_edge e_ji])
//   x'_i = sum over j in N(i) and i of softmax_j(e_ij) (W_l x_j + b_l),  side by side or averaged,
//   + b
// The attributes of a node's edge to itself are the means of those that arrive.
#include <ATen/TensorOperators.h>
#include <ATen/ops/leaky_relu.h>

#include <espalier/graph/attention.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_heads.hpp>

namespace {

using espalier::MessageWeights;
using espalier::Neighbourhood;

struct Gatv2Params : espalier::LoopedAttentionParams {
  bool share_weights = false;
};

void bind(espalier::Schema<Gatv2Params>& s) {
  bind_looped_attention(s);
  s.field("share_weights", &Gatv2Params::share_weights)
      .doc("One linear map for both ends of an edge");
}

class Gatv2Convolution final : public espalier::Convolution {
 public:
  explicit Gatv2Convolution(const Gatv2Params& params) : params_(params) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    part_ = espalier::width_of_a_head(params_, out);
    const auto glorot = espalier::LinearInit::glorot;
    const std::int64_t width = params_.heads * part_;
    left_.init("lin_l", in, width, glorot, parameters, random, params_.bias);
    if (!params_.share_weights) {
      right_.init("lin_r", in, width, glorot, parameters, random, params_.bias);
    }
    if (params_.edge_width > 0) {
      of_edges_.init("lin_edge", params_.edge_width, width, glorot, parameters, random, false);
    }
    vector_ = parameters.add("att", espalier::glorot_uniform({1, params_.heads, part_}, random));
    bias_ = espalier::zero_bias(out, params_.bias, parameters);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const auto values = on.mapped(left_);
    const at::Tensor h =
        espalier::propagate(on.graph, weights(on, values), values.sources, values.targets);
    return espalier::joined_heads(params_, h, bias_);
  }

  MessageWeights attention(const Neighbourhood& on) const override {
    return weights(on, on.mapped(left_));
  }

 private:
  [[nodiscard]] MessageWeights weights(const Neighbourhood& on,
                                       const Neighbourhood::Mapped& values) const {
    const at::Tensor targets = params_.share_weights ? values.targets : right_(on.targets);
    const at::Tensor vector = vector_.view({params_.heads, part_});
    at::Tensor edges;
    if (params_.edge_width > 0) {
      edges = of_edges_(espalier::edge_attributes(on.graph, params_.edge_width));
    }
    espalier::AttentionScores scores;
    scores.edge = espalier::edge_scores(on.graph, values.sources, targets, edges, vector,
                                        params_.negative_slope);
    if (params_.self_loops) {
      at::Tensor own = values.targets + targets;
      if (edges.defined()) own = own + mean_without_loops(on.graph, edges);
      own = at::leaky_relu(own, params_.negative_slope).view({-1, params_.heads, part_});
      scores.own = (own * vector).sum(2);
      scores.edge = without_loops(on.graph, scores.edge, params_.heads);
    }
    return espalier::attention_weights(on.graph, scores);
  }

  Gatv2Params params_;
  std::int64_t part_ = 0;
  espalier::Linear left_;
  espalier::Linear right_;
  espalier::Linear of_edges_;
  at::Tensor vector_;
  at::Tensor bias_;
};

class Gatv2 final : public espalier::GnnStack {
 public:
  using Params = Gatv2Params;
  Gatv2(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<Gatv2Convolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gatv2", 1, Gatv2, "Dynamic graph attention (Brody et al. 2022)",
                   "graph bipartite node_rows edge_weight:edge_width")
