#include <espalier/peft/logistic_regression.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <deque>
#include <espalier/peft/class_statistics.hpp>
#include <utility>

namespace espalier {
namespace {

double sum_of_products(const at::Tensor& a, const at::Tensor& b) {
  return (a * b).sum().item<double>();
}

// The steps taken last, which stand for the curvature: Nocedal and Wright 2006, algorithm 7.4.
class Curvature {
 public:
  void note(const at::Tensor& step, const at::Tensor& change) {
    const double along = sum_of_products(step, change);
    if (along <= 0) return;
    pairs_.push_back({step, change, along});
    if (pairs_.size() > kept) pairs_.pop_front();
  }

  // Minus the inverse curvature times the gradient.
  [[nodiscard]] at::Tensor direction(const at::Tensor& gradient) const {
    at::Tensor q = -gradient;
    std::vector<double> shares;
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
      shares.push_back(sum_of_products(pair->step, q) / pair->along);
      q = q - pair->change * shares.back();
    }
    if (!pairs_.empty()) {
      const Pair& last = pairs_.back();
      q = q * (last.along / sum_of_products(last.change, last.change));
    }
    for (const Pair& pair : pairs_) {
      q = q + pair.step * (shares.back() - sum_of_products(pair.change, q) / pair.along);
      shares.pop_back();
    }
    return q;
  }
  [[nodiscard]] bool empty() const { return pairs_.empty(); }

 private:
  static constexpr std::size_t kept = 10;
  struct Pair {
    at::Tensor step;
    at::Tensor change;
    double along;
  };
  std::deque<Pair> pairs_;
};

}  // namespace

LogisticRegression::LogisticRegression(const at::Tensor& x, const at::Tensor& labels,
                                       std::int64_t classes)
    : x_(at::cat({x.to(at::kDouble), at::ones({x.size(0), 1}, at::kDouble)}, 1)),
      of_(indicators(labels, classes).to(at::kDouble)),
      penalised_(at::cat({at::ones({x.size(1)}, at::kDouble), at::zeros({1}, at::kDouble)})) {}

LogisticRegression::Point LogisticRegression::point(at::Tensor theta, double decay) const {
  const at::Tensor logs = at::log_softmax(at::matmul(x_, theta.t()), 1);
  const at::Tensor decayed = theta * penalised_ * decay;
  const auto n = static_cast<double>(x_.size(0));
  Point made;
  made.loss = sum_of_products(theta, decayed) / 2 - sum_of_products(logs, of_) / n;
  made.gradient = at::matmul((logs.exp() - of_).t(), x_) / n + decayed;
  made.theta = std::move(theta);
  return made;
}

LogisticRegression::Point LogisticRegression::descended(const Point& from,
                                                        const at::Tensor& direction, double step,
                                                        double decay) const {
  constexpr double enough = 1e-4;
  constexpr int halvings = 30;
  const double slope = sum_of_products(from.gradient, direction);
  for (int i = 0; i < halvings; ++i, step /= 2) {
    Point next = point(from.theta + direction * step, decay);
    if (next.loss < from.loss + enough * step * slope) return next;
  }
  return {};
}

LogisticFit LogisticRegression::fit(double c, double tolerance, std::int64_t most) const {
  const double decay = 1 / (c * static_cast<double>(x_.size(0)));
  Point now = point(at::zeros({of_.size(1), x_.size(1)}, at::kDouble), decay);
  Curvature curvature;
  for (; most > 0 && now.gradient.abs().max().item<double>() > tolerance; --most) {
    const double first =
        curvature.empty() ? 1 / std::max(1.0, now.gradient.norm().item<double>()) : 1;
    Point next = descended(now, curvature.direction(now.gradient), first, decay);
    if (!next.gradient.defined()) break;
    curvature.note(next.theta - now.theta, next.gradient - now.gradient);
    now = std::move(next);
  }
  const at::Tensor theta = now.theta.to(at::kFloat);
  const std::int64_t width = theta.size(1) - 1;
  return {theta.slice(1, 0, width).contiguous(), theta.select(1, width).contiguous()};
}

}  // namespace espalier
