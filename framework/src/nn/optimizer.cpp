#include <espalier/nn/optimizer.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {

Optimizer::Optimizer(Parameters& parameters, std::vector<std::string> moments)
    : parameters_(parameters), moments_(std::move(moments)) {
  take_in_new_parameters();
}

Optimizer::~Optimizer() = default;

void Optimizer::take_in_new_parameters() {
  const auto& entries = parameters_.entries();
  for (std::size_t i = states_.size(); i < entries.size(); ++i) {
    const at::Tensor tensor = entries[i].second.detach();
    State& state = states_.emplace_back();
    for (std::size_t m = 0; m < moments_.size(); ++m) {
      state.moments.push_back(at::zeros_like(tensor));
    }
  }
}

void Optimizer::step(double lr, const std::function<void()>& after) {
  const c10::AutoGradMode no_grad(false);
  take_in_new_parameters();
  ++steps_;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const at::Tensor& parameter = parameters_.entries()[i].second;
    const ParameterRates& rates = parameters_.rates()[i];
    if (!parameter.grad().defined()) continue;
    ++states_[i].updates;
    update(parameter, states_[i], lr * rates.lr, rates.decay);
  }
  if (after) after();
  for (const at::Tensor& parameter : parameters_.tensors()) parameter.mutable_grad().reset();
}

double Optimizer::clip(double limit) {
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

std::vector<Parameters::Entry> Optimizer::snapshot() const {
  std::vector<Parameters::Entry> copies;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const std::string& name = parameters_.entries()[i].first;
    for (std::size_t m = 0; m < moments_.size(); ++m) {
      copies.emplace_back(moments_[m] + name, states_[i].moments[m].clone());
    }
    copies.emplace_back("t." + name, at::full({}, states_[i].updates, at::kLong));
  }
  return copies;
}

void Optimizer::restore(const std::vector<Parameters::Entry>& snapshot, std::int64_t steps) {
  ESPALIER_ASSERT(snapshot.size() == (moments_.size() + 1) * states_.size(),
                  "the snapshot is of other parameters");
  auto entry = snapshot.begin();
  for (State& state : states_) {
    for (at::Tensor& moment : state.moments) moment.copy_((entry++)->second);
    state.updates = (entry++)->second.item<std::int64_t>();
  }
  steps_ = steps;
}

std::int64_t Optimizer::bytes() const {
  std::int64_t sum = 0;
  for (const State& state : states_) {
    for (const at::Tensor& moment : state.moments) {
      sum += moment.numel() * static_cast<std::int64_t>(moment.element_size());
    }
  }
  return sum;
}

}  // namespace espalier
