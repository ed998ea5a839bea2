// Multinomial logistic regression with an L2 penalty, by L-BFGS in double precision.
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

struct LogisticFit {
  at::Tensor weight;  // float32 [classes, width]
  at::Tensor bias;    // float32 [classes]
};

class LogisticRegression {
 public:
  // Rows [n, width] with labels [n] from 0 to classes - 1.
  LogisticRegression(const at::Tensor& x, const at::Tensor& labels, std::int64_t classes);

  // The minimum of |W|^2 / 2 + c sum cross-entropy(x W^T + b), which leaves b free: what
  // scikit-learn's LogisticRegression minimises. Ends where no element of the gradient, divided by
  // c n, is above `tolerance`, after `most` steps, or where rounding ends it.
  [[nodiscard]] LogisticFit fit(double c, double tolerance, std::int64_t most = 1000) const;

 private:
  struct Point {
    at::Tensor theta;     // [classes, width + 1]: W, and b behind it
    at::Tensor gradient;  // like theta
    double loss = 0;
  };
  // Mean cross-entropy and decay |W|^2 / 2, and their gradient.
  [[nodiscard]] Point point(at::Tensor theta, double decay) const;
  // The first along halvings of the step that lowers the loss enough (Armijo 1966); without a
  // gradient where none does.
  [[nodiscard]] Point descended(const Point& from, const at::Tensor& direction, double step,
                                double decay) const;

  at::Tensor x_;          // [n, width + 1], the last column 1
  at::Tensor of_;         // [n, classes], 1 at the label
  at::Tensor penalised_;  // [width + 1], 0 at the bias
};

}  // namespace espalier
