// GraphSAGE, Hamilton et al. 2017:
//   x'_i = W_l mean over j in N(i) of x_j + b + W_r x_i
// The mean of no neighbours is 0. Weights of edges play no part.
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include <espalier/graph/segment.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace {

using espalier::Neighbourhood;

struct SageParams : espalier::StackParams {
  std::string aggregate = "mean";
  bool root_weight = true;
  bool project = false;
  bool normalize = false;
  bool bias = true;
};

void bind(espalier::Schema<SageParams>& s) {
  bind_stack(s);
  s.field("aggregate", &SageParams::aggregate)
      .choices({"mean", "max", "sum"})
      .doc("What is taken of the neighbours' states");
  s.field("root_weight", &SageParams::root_weight).doc("Add W_r x_i, the node's own state");
  s.field("project", &SageParams::project)
      .doc("Neighbours go through a linear map of their width and relu first");
  s.field("normalize", &SageParams::normalize).doc("Scale each new state to length 1");
  s.field("bias", &SageParams::bias).doc("Add a bias after each convolution");
}

class SageConvolution final : public espalier::Convolution {
 public:
  explicit SageConvolution(const SageParams& params) : params_(params) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    const auto standard = espalier::LinearInit::standard;
    narrows_ = out < in && params_.aggregate != "max";
    if (params_.project) projection_.init("lin", in, in, standard, parameters, random);
    of_neighbours_.init("lin_l", in, out, standard, parameters, random, params_.bias);
    if (params_.root_weight) own_.init("lin_r", in, out, standard, parameters, random, false);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const at::Tensor sources = params_.project ? at::relu(projection_(on.sources)) : on.sources;
    at::Tensor h = narrows_ ? aggregated(on.graph, of_neighbours_.product(sources))
                            : of_neighbours_(aggregated(on.graph, sources));
    if (narrows_ && params_.bias) h = h + of_neighbours_.bias();
    if (params_.root_weight) h = h.addmm_(on.targets, own_.weight().t());
    return params_.normalize ? espalier::unit_rows(h) : h;
  }

 private:
  [[nodiscard]] at::Tensor aggregated(const espalier::CsrGraph& graph, const at::Tensor& x) const {
    if (params_.aggregate == "max") return espalier::neighbour_max(graph, x);
    if (params_.aggregate == "sum") return espalier::spmm(graph, {}, x);
    return espalier::spmm(graph, espalier::mean_weights(graph, x), x);
  }

  SageParams params_;
  bool narrows_ = false;
  espalier::Linear projection_;
  espalier::Linear of_neighbours_;
  espalier::Linear own_;
};

class Sage final : public espalier::GnnStack {
 public:
  using Params = SageParams;
  Sage(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<SageConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "sage", 1, Sage, "GraphSAGE (Hamilton et al. 2017)",
                   "graph bipartite node_rows")
