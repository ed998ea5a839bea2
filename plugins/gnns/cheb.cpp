// Chebyshev filters of a graph's Laplacian, Defferrard et al. 2016, with its largest eigenvalue
// taken as 2. With L = -D^-1/2 A D^-1/2 and D the weighted out-degree, both without loops:
//   x' = sum over k < order of Z_k W_k + b,  Z_0 = x,  Z_1 = L x,  Z_k = 2 L Z_{k-1} - Z_{k-2}
// A node that receives an edge changes the degree of the one that sends it: no node can be attached
// without changing others.
#include <ATen/TensorOperators.h>

#include <espalier/graph/coefficients.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace {

using espalier::Neighbourhood;

struct ChebParams : espalier::StackParams {
  std::int64_t order = 3;
  bool bias = true;
  std::string negative_weights = "refuse";
};

void bind(espalier::Schema<ChebParams>& s) {
  bind_stack(s);
  s.field("order", &ChebParams::order)
      .range(1, 64)
      .doc("Filters of each convolution; the k-th reaches nodes k - 1 edges away");
  s.field("bias", &ChebParams::bias).doc("Add a bias after each convolution");
  bind_negative_weights(s);
}

class ChebConvolution final : public espalier::Convolution {
 public:
  explicit ChebConvolution(const ChebParams& params) : params_(params) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    filters_.resize(static_cast<std::size_t>(params_.order));
    for (std::size_t k = 0; k < filters_.size(); ++k) {
      filters_[k].init("lins." + std::to_string(k), in, out, espalier::LinearInit::glorot,
                       parameters, random, false);
    }
    bias_ = espalier::zero_bias(out, params_.bias, parameters);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const at::Tensor laplacian =
        espalier::scaled_laplacian(on.graph, on.graph.weight, params_.negative_weights);
    const auto filtered = [&](const at::Tensor& z) {
      return espalier::spmm(on.graph, laplacian, z);
    };
    at::Tensor before;
    at::Tensor z = on.sources;
    at::Tensor sum = filters_[0](z);
    for (std::size_t k = 1; k < filters_.size(); ++k) {
      const at::Tensor next = k == 1 ? filtered(z) : filtered(z) * 2 - before;
      before = std::exchange(z, next);
      sum = sum + filters_[k](z);
    }
    return bias_.defined() ? sum + bias_ : sum;
  }

 private:
  ChebParams params_;
  std::vector<espalier::Linear> filters_;
  at::Tensor bias_;
};

class Cheb final : public espalier::GnnStack {
 public:
  using Params = ChebParams;
  Cheb(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<ChebConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "cheb", 1, Cheb, "Chebyshev graph filters (Defferrard et al. 2016)",
                   "graph edge_weight unseen:negative_weights")
