// Generalised PageRank, Chien et al. 2021: a trained weight for every distance,
//   x' = sum over k = 0 .. K of gamma_k P^k mlp(x),  P the normalised adjacency of gcn
// gamma begins as personalised PageRank's: alpha (1 - alpha)^k, the last (1 - alpha)^K.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_propagation.hpp>

namespace {

struct GprgnnParams : espalier::PropagationParams {
  double alpha = 0.1;
};

void bind(espalier::Schema<GprgnnParams>& s) {
  bind_propagation(s);
  s.field("alpha", &GprgnnParams::alpha)
      .range(0, 1)
      .doc("Restart probability of the PageRank whose weights the distances begin with")
      .source("Chien et al. 2021");
}

class Gprgnn final : public espalier::GnnPropagation {
 public:
  using Params = GprgnnParams;
  Gprgnn(const Params& params, const espalier::RunContext&)
      : GnnPropagation(params), steps_(params.steps), alpha_(params.alpha) {}

  void init(std::int64_t width, espalier::Parameters& parameters,
            espalier::Random& random) override {
    GnnPropagation::init(width, parameters, random);
    at::Tensor gamma = at::empty({steps_ + 1}, at::kFloat);
    for (std::int64_t k = 0; k <= steps_; ++k) {
      const double share = std::pow(1 - alpha_, static_cast<double>(k));
      gamma.data_ptr<float>()[k] = static_cast<float>(k < steps_ ? alpha_ * share : share);
    }
    gamma_ = parameters.add("gamma", gamma);
  }

 private:
  // From the farthest inwards: h <- P h + gamma_k x, which begins with gamma_K x.
  at::Tensor next(std::int64_t step, const at::Tensor& propagated,
                  const at::Tensor& targets_0) const override {
    const at::Tensor sum = step == 0 ? propagated * gamma_[steps_] : propagated;
    return sum + targets_0 * gamma_[steps_ - 1 - step];
  }

  std::int64_t steps_;
  double alpha_;
  at::Tensor gamma_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gprgnn", 1, Gprgnn, "Generalised PageRank network (Chien et al. 2021)",
                   "graph edge_weight bipartite node_rows unseen:negative_weights")
