#include <espalier/plugin/gnn_isomorphism.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>

namespace espalier {

void IsomorphismUpdate::init(std::int64_t in, std::int64_t out, Parameters& parameters,
                             Random& random) {
  const std::int64_t hidden = params_.mlp_hidden == 0 ? out : params_.mlp_hidden;
  perceptron_.init({"nn.0", "nn.2"}, {in, hidden, out}, "relu", parameters, random);
  if (params_.train_eps) eps_ = parameters.add("eps", at::full({1}, params_.eps, at::kFloat));
}

at::Tensor IsomorphismUpdate::own_weights(const at::Tensor& targets) const {
  if (eps_.defined()) return (1 + eps_).expand({targets.size(0)});
  return at::full({targets.size(0)}, 1 + params_.eps, targets.options().requires_grad(false));
}

}  // namespace espalier
