// What a loss says of the parameters themselves.
#pragma once

#include <espalier/nn/parameters.hpp>
#include <espalier/tensor/tensor.hpp>
#include <vector>

namespace espalier {

class Penalty {
 public:
  virtual ~Penalty() = default;
  // A scalar with its tape, added to the loss of every update.
  [[nodiscard]] virtual at::Tensor operator()(const Parameters& parameters) const = 0;
};

// Elastic weight consolidation, Kirkpatrick et al. 2017:
//   lambda / 2 * sum_i F_i (theta_i - theta*_i)^2,
// theta* the parameters of an earlier task and F the diagonal of its Fisher information.
class ElasticPenalty final : public Penalty {
 public:
  // Both by parameter name; parameters that they do not name are free. Throws Error where the two
  // name different parameters or shapes.
  ElasticPenalty(double lambda, std::vector<Parameters::Entry> anchor,
                 std::vector<Parameters::Entry> fisher);

  // Throws Error where an anchor names no parameter, or one of another shape.
  [[nodiscard]] at::Tensor operator()(const Parameters& parameters) const override;

 private:
  double lambda_;
  std::vector<Parameters::Entry> anchor_;
  std::vector<Parameters::Entry> fisher_;
};

}  // namespace espalier
