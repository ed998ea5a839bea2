#include "train/method_in_training.hpp"

#include <ATen/TensorOperators.h>

#include "train/component_call.hpp"
#include <espalier/plugin/loader.hpp>

namespace espalier {

at::Tensor MethodInTraining::penalised(const at::Tensor& loss) const {
  if (method_ == nullptr) return loss;
  const at::Tensor penalty = call_component(name_, "penalty", [&] { return method_->penalty(); });
  return penalty.defined() ? loss + penalty.to(loss.device()) : loss;
}

}  // namespace espalier
