#include "train/adamw.hpp"

#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {

AdamW::AdamW(Parameters& parameters, const AdamWOptions& options)
    : parameters_(parameters), options_(options) {
  for (const at::Tensor& tensor : parameters.tensors()) {
    mean_.push_back(at::zeros_like(tensor.detach()));
    square_.push_back(at::zeros_like(tensor.detach()));
  }
}

void AdamW::step(double lr) {
  const c10::AutoGradMode no_grad(false);
  ++steps_;
  const double bias1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
  const double bias2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    at::Tensor parameter = parameters_.entries()[i].second;
    const at::Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;
    const ParameterRates& rates = parameters_.rates()[i];
    const double own_lr = lr * rates.lr;
    parameter.mul_(1 - own_lr * options_.weight_decay * rates.decay);
    mean_[i].mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
    square_[i].mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    const at::Tensor root = square_[i].sqrt().div_(std::sqrt(bias2)).add_(options_.eps);
    parameter.addcdiv_(mean_[i], root, -own_lr / bias1);
    parameter.mutable_grad().reset();
  }
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
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    const std::string& name = parameters_.entries()[i].first;
    copies.emplace_back("m." + name, mean_[i].clone());
    copies.emplace_back("v." + name, square_[i].clone());
  }
  return copies;
}

void AdamW::restore(const std::vector<Parameters::Entry>& snapshot, std::int64_t steps) {
  ESPALIER_ASSERT(snapshot.size() == 2 * mean_.size(), "the snapshot is of other parameters");
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    mean_[i].copy_(snapshot[2 * i].second);
    square_[i].copy_(snapshot[2 * i + 1].second);
  }
  steps_ = steps;
}

}  // namespace espalier
