// Graph transformer, Shi et al. 2021, by heads of width d:
//   alpha_ij = softmax over j in N(i) of (W_q x_i + b_q) . (W_k x_j + b_k [+ W_e e_ji]) / sqrt(d)
//   m_i = sum alpha_ij (W_v x_j + b_v [+ W_e e_ji]),  side by side or averaged
//   x'_i = m_i + W_skip x_i + b_skip; with beta g r + (1 - g) m, where r is that skip and
//   g = sigmoid(w . [m, r, m - r])
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/sigmoid.h>

#include <cmath>
#include <espalier/graph/attention.hpp>
#include <espalier/graph/segment.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_heads.hpp>

namespace {

using espalier::MessageWeights;
using espalier::Neighbourhood;

struct TransformerParams : espalier::MultiHeadParams {
  bool beta = false;
  bool root_weight = true;
};

void bind(espalier::Schema<TransformerParams>& s) {
  bind_heads(s);
  s.field("root_weight", &TransformerParams::root_weight)
      .doc("Add the node's own state, W_skip x_i");
  s.field("beta", &TransformerParams::beta)
      .only_if("root_weight")
      .doc("A learned gate between neighbours and own state instead of their sum");
}

class TransformerConvolution final : public espalier::Convolution {
 public:
  explicit TransformerConvolution(const TransformerParams& params) : params_(params) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    part_ = espalier::width_of_a_head(params_, out);
    const std::int64_t width = params_.heads * part_;
    const auto make = [&](espalier::Linear& linear, const char* name, std::int64_t from,
                          std::int64_t to, bool bias) {
      linear.init(name, from, to, espalier::LinearInit::standard, parameters, random, bias);
    };
    make(key_, "lin_key", in, width, true);
    make(query_, "lin_query", in, width, true);
    make(value_, "lin_value", in, width, true);
    if (params_.edge_width > 0) make(of_edges_, "lin_edge", params_.edge_width, width, false);
    if (!params_.root_weight) return;
    make(skip_, "lin_skip", in, out, params_.bias);
    if (params_.beta) make(gate_, "lin_beta", 3 * out, 1, false);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const MessageWeights weights = attention(on);
    at::Tensor m = espalier::spmm(on.graph, weights.edge, value_(on.sources));
    if (params_.edge_width > 0) m = m + of_attributes(on, weights.edge);
    m = espalier::joined_heads(params_, m, {});
    if (!params_.root_weight) return m;
    const at::Tensor r = skip_(on.targets);
    if (!params_.beta) return m + r;
    const at::Tensor g = at::sigmoid(gate_(at::cat({m, r, m - r}, 1)));
    return g * r + (1 - g) * m;
  }

  MessageWeights attention(const Neighbourhood& on) const override {
    const at::Tensor query = query_(on.targets);
    at::Tensor scores = espalier::edge_products(on.graph, key_(on.sources), query, params_.heads);
    if (params_.edge_width > 0) {
      // q . W_e e is (W_e' q) . e: a few numbers a target instead of a row an edge.
      const at::Tensor folded = at::einsum("thc,hcd->thd", {in_heads(query), edge_weight()});
      scores = scores + (by_edge(on.graph, folded) * attributes(on.graph)).sum(2);
    }
    scores = scores * (1 / std::sqrt(static_cast<double>(part_)));
    return {.edge = espalier::segment_softmax(on.graph, scores), .own = {}};
  }

 private:
  [[nodiscard]] at::Tensor in_heads(const at::Tensor& x) const {
    return x.view({x.size(0), params_.heads, part_});
  }
  // [heads, part, edge_width]
  [[nodiscard]] at::Tensor edge_weight() const {
    return of_edges_.weight().view({params_.heads, part_, params_.edge_width});
  }
  // [edges, 1, edge_width]
  [[nodiscard]] at::Tensor attributes(const espalier::CsrGraph& graph) const {
    return espalier::edge_attributes(graph, params_.edge_width).unsqueeze(1);
  }
  // Of targets [t, heads, edge_width].
  [[nodiscard]] at::Tensor by_edge(const espalier::CsrGraph& graph, const at::Tensor& x) const {
    return espalier::gather_targets(graph, x.flatten(1))
        .view({graph.edges(), params_.heads, params_.edge_width});
  }
  // sum alpha W_e e = W_e sum alpha e.
  [[nodiscard]] at::Tensor of_attributes(const Neighbourhood& on, const at::Tensor& alpha) const {
    const at::Tensor weighed = (alpha.unsqueeze(2) * attributes(on.graph)).flatten(1);
    const at::Tensor sums = espalier::segment_sum(on.graph, weighed)
                                .view({on.graph.targets, params_.heads, params_.edge_width});
    return at::einsum("thd,hcd->thc", {sums, edge_weight()}).flatten(1);
  }

  TransformerParams params_;
  std::int64_t part_ = 0;
  espalier::Linear key_;
  espalier::Linear query_;
  espalier::Linear value_;
  espalier::Linear of_edges_;
  espalier::Linear skip_;
  espalier::Linear gate_;
};

class Transformer final : public espalier::GnnStack {
 public:
  using Params = TransformerParams;
  Transformer(const Params& params, const espalier::RunContext&)
      : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<TransformerConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "transformer", 1, Transformer, "Graph transformer (Shi et al. 2021)",
                   "graph bipartite node_rows edge_weight:edge_width")
