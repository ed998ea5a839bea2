// Graph convolution without normalisation, Morris et al. 2019:
//   x'_i = W_rel sum over j in N(i) of w_ji x_j + b + W_root x_i
#include <ATen/TensorOperators.h>

#include <espalier/graph/spmm.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace {

using espalier::Neighbourhood;

struct GraphConvParams : espalier::StackParams {
  bool bias = true;
};

void bind(espalier::Schema<GraphConvParams>& s) {
  bind_stack(s);
  s.field("bias", &GraphConvParams::bias).doc("Add a bias after each convolution");
}

class GraphConvolution final : public espalier::Convolution {
 public:
  explicit GraphConvolution(bool bias) : biased_(bias) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    const auto standard = espalier::LinearInit::standard;
    narrows_ = out < in;
    of_neighbours_.init("lin_rel", in, out, standard, parameters, random, biased_);
    own_.init("lin_root", in, out, standard, parameters, random, false);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const at::Tensor& weight = on.graph.weight;
    at::Tensor h = narrows_ ? espalier::spmm(on.graph, weight, of_neighbours_.product(on.sources))
                            : of_neighbours_(espalier::spmm(on.graph, weight, on.sources));
    if (narrows_ && biased_) h = h + of_neighbours_.bias();
    return h.addmm_(on.targets, own_.weight().t());
  }

 private:
  bool biased_;
  bool narrows_ = false;
  espalier::Linear of_neighbours_;
  espalier::Linear own_;
};

class GraphConv final : public espalier::GnnStack {
 public:
  using Params = GraphConvParams;
  GraphConv(const Params& params, const espalier::RunContext&)
      : GnnStack(params), bias_(params.bias) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<GraphConvolution>(bias_);
  }
  bool bias_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "graph_conv", 1, GraphConv,
                   "Graph convolution without normalisation (Morris et al. 2019)",
                   "graph edge_weight bipartite node_rows")
