#include <espalier/nn/adamw.hpp>

#include <cmath>

namespace espalier {

AdamW::AdamW(Parameters& parameters, const AdamWOptions& options)
    : Optimizer(parameters, {"m.", "v."}), options_(options) {}

void AdamW::update(at::Tensor parameter, State& state, double lr, double decay) const {
  const at::Tensor gradient = parameter.grad();
  parameter.mul_(1 - lr * options_.weight_decay * decay);
  move(parameter, gradient, state, lr);
}

void AdamW::move(at::Tensor parameter, const at::Tensor& gradient, State& state, double lr) const {
  const double bias1 = 1 - std::pow(options_.beta1, static_cast<double>(state.updates));
  const double bias2 = 1 - std::pow(options_.beta2, static_cast<double>(state.updates));
  at::Tensor& mean = state.moments[0];
  at::Tensor& square = state.moments[1];
  mean.mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
  square.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
  const at::Tensor root = square.sqrt().div_(std::sqrt(bias2)).add_(options_.eps);
  parameter.addcdiv_(mean, root, -lr / bias1);
}

void Adam::update(at::Tensor parameter, State& state, double lr, double decay) const {
  move(parameter, parameter.grad().add(parameter, options_.weight_decay * decay), state, lr);
}

}  // namespace espalier
