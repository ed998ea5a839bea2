// AdamW, Loshchilov and Hutter 2019, and Adam, Kingma and Ba 2015, step for step as
// torch.optim.AdamW and torch.optim.Adam.
#pragma once

#include <espalier/nn/optimizer.hpp>

namespace espalier {

struct AdamWOptions {
  double weight_decay = 0.01;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
};

class AdamW : public Optimizer {
 public:
  AdamW(Parameters& parameters, const AdamWOptions& options);

 protected:
  void update(at::Tensor parameter, State& state, double lr, double decay) const override;
  void move(at::Tensor parameter, const at::Tensor& gradient, State& state, double lr) const;

  AdamWOptions options_;
};

// Weight decay is part of the gradient.
class Adam final : public AdamW {
 public:
  using AdamW::AdamW;

 private:
  void update(at::Tensor parameter, State& state, double lr, double decay) const override;
};

}  // namespace espalier
