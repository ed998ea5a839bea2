#include <espalier/nn/sgd.hpp>

namespace espalier {

Sgd::Sgd(Parameters& parameters, const SgdOptions& options)
    : Optimizer(parameters, {"m."}), options_(options) {}

void Sgd::update(at::Tensor parameter, State& state, double lr, double decay) const {
  at::Tensor& velocity = state.moments[0];
  velocity.mul_(options_.momentum)
      .add_(parameter.grad().add(parameter, options_.weight_decay * decay));
  parameter.add_(velocity, -lr);
}

}  // namespace espalier
