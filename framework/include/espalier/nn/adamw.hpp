// AdamW, Loshchilov and Hutter 2019, step for step as torch.optim.AdamW.
#pragma once

#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <functional>
#include <string>
#include <vector>

namespace espalier {

struct AdamWOptions {
  double weight_decay = 0.01;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
};

class AdamW {
 public:
  // The parameters must outlive it.
  AdamW(Parameters& parameters, const AdamWOptions& options);

  // One update with this learning rate from the gradients that are there; a parameter without one
  // stays as it is. Then `after` is called, where it is given, and the gradients are dropped. Each
  // parameter counts its own updates, so one that is added later begins as at the start.
  void step(double lr, const std::function<void()>& after = {});

  // Scales all gradients by limit / (norm + 1e-6) where their common norm exceeds `limit`, as
  // torch.nn.utils.clip_grad_norm_ does; returns the norm before.
  double clip(double limit);

  // Moments and numbers of updates by parameter name, behind `m.`, `v.` and `t.`; restore() takes
  // such copies back.
  [[nodiscard]] std::vector<Parameters::Entry> snapshot() const;
  void restore(const std::vector<Parameters::Entry>& snapshot, std::int64_t steps);
  // Calls of step().
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }

 private:
  struct State {
    at::Tensor mean;
    at::Tensor square;
    std::int64_t updates = 0;
  };
  void take_in_new_parameters();
  void update(at::Tensor parameter, State& state, double lr, double decay) const;

  Parameters& parameters_;
  AdamWOptions options_;
  std::int64_t steps_ = 0;
  std::vector<State> states_;  // in the order of the parameters
};

}  // namespace espalier
