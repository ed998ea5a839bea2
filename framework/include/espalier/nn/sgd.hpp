// Stochastic gradient descent with momentum, step for step as torch.optim.SGD.
#pragma once

#include <espalier/nn/optimizer.hpp>

namespace espalier {

struct SgdOptions {
  double weight_decay = 0;
  double momentum = 0.9;
};

class Sgd final : public Optimizer {
 public:
  Sgd(Parameters& parameters, const SgdOptions& options);

 private:
  void update(at::Tensor parameter, State& state, double lr, double decay) const override;

  SgdOptions options_;
};

}  // namespace espalier
