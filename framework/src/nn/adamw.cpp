#include <espalier/nn/adamw.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {

AdamW::AdamW(Parameters& parameters, const AdamWOptions& options)
    : parameters_(parameters), options_(options) {
  take_in_new_parameters();
}

void AdamW::take_in_new_parameters() {
  const auto& entries = parameters_.entries();
  for (std::size_t i = states_.size(); i < entries.size(); ++i) {
    const at::Tensor tensor = entries[i].second.detach();
    states_.push_back({.mean = at::zeros_like(tensor), .square = at::zeros_like(tensor)});
  }
}

void AdamW::step(double lr, const std::function<void()>& after) {
  const c10::AutoGradMode no_grad(false);
  take_in_new_parameters();
  ++steps_;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const at::Tensor& parameter = parameters_.entries()[i].second;
    const ParameterRates& rates = parameters_.rates()[i];
    if (parameter.grad().defined()) update(parameter, states_[i], lr * rates.lr, rates.decay);
  }
  if (after) after();
  for (const at::Tensor& parameter : parameters_.tensors()) parameter.mutable_grad().reset();
}

void AdamW::update(at::Tensor parameter, State& state, double lr, double decay) const {
  ++state.updates;
  const double bias1 = 1 - std::pow(options_.beta1, static_cast<double>(state.updates));
  const double bias2 = 1 - std::pow(options_.beta2, static_cast<double>(state.updates));
  const at::Tensor gradient = parameter.grad();
  parameter.mul_(1 - lr * options_.weight_decay * decay);
  state.mean.mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
  state.square.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
  const at::Tensor root = state.square.sqrt().div_(std::sqrt(bias2)).add_(options_.eps);
  parameter.addcdiv_(state.mean, root, -lr / bias1);
}

double AdamW::clip(double limit) {
  const c10::AutoGradMode no_grad(false);
  double square = 0;
  for (const at::Tensor& tensor : parameters_.tensors()) {
    if (tensor.grad().defined()) {
      square += std::pow(tensor.grad().norm().item<double>(), 2);
    }
  }
  const double norm = std::sqrt(square);
  const double scale = limit / (norm + 1e-6);
  if (scale >= 1) return norm;
  for (const at::Tensor& tensor : parameters_.tensors()) {
    if (tensor.grad().defined()) tensor.grad().mul_(scale);
  }
  return norm;
}

std::vector<Parameters::Entry> AdamW::snapshot() const {
  std::vector<Parameters::Entry> copies;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const std::string& name = parameters_.entries()[i].first;
    copies.emplace_back("m." + name, states_[i].mean.clone());
    copies.emplace_back("v." + name, states_[i].square.clone());
    copies.emplace_back("t." + name, at::full({}, states_[i].updates, at::kLong));
  }
  return copies;
}

void AdamW::restore(const std::vector<Parameters::Entry>& snapshot, std::int64_t steps) {
  ESPALIER_ASSERT(snapshot.size() == 3 * states_.size(), "the snapshot is of other parameters");
  for (std::size_t i = 0; i < states_.size(); ++i) {
    states_[i].mean.copy_(snapshot[3 * i].second);
    states_[i].square.copy_(snapshot[3 * i + 1].second);
    states_[i].updates = snapshot[3 * i + 2].second.item<std::int64_t>();
  }
  steps_ = steps;
}

}  // namespace espalier
