// What moves parameters along their gradients.
#pragma once

#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <functional>
#include <string>
#include <vector>

namespace espalier {

class Optimizer {
 public:
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer();

  // One update with this learning rate from the gradients that are there; a parameter without one
  // stays as it is. Then `after` is called, where it is given, and the gradients are dropped. Each
  // parameter counts its own updates, so one that is added later begins as at the start.
  void step(double lr, const std::function<void()>& after = {});

  // Scales all gradients by limit / (norm + 1e-6) where their common norm exceeds `limit`, as
  // torch.nn.utils.clip_grad_norm_ does; returns the norm before.
  double clip(double limit);

  // Moments and numbers of updates by parameter name, behind their own names (`m.`) and `t.`;
  // restore() takes such copies back.
  [[nodiscard]] std::vector<Parameters::Entry> snapshot() const;
  void restore(const std::vector<Parameters::Entry>& snapshot, std::int64_t steps);
  // Calls of step().
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  // Of its moments in memory.
  [[nodiscard]] std::int64_t bytes() const;

 protected:
  // `moments` are the names of the tensors that it keeps of each parameter, zeros at the start. The
  // parameters must outlive it.
  Optimizer(Parameters& parameters, std::vector<std::string> moments);

  struct State {
    std::vector<at::Tensor> moments;  // in the order of their names
    std::int64_t updates = 0;         // this one included
  };
  // Moves a parameter whose gradient is there, with its own rate and factor on the decay.
  virtual void update(at::Tensor parameter, State& state, double lr, double decay) const = 0;

 private:
  void take_in_new_parameters();

  Parameters& parameters_;
  std::vector<std::string> moments_;
  std::int64_t steps_ = 0;
  std::vector<State> states_;  // in the order of the parameters
};

}  // namespace espalier
