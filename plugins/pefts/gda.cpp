// Gaussian discriminant analysis beside the class vectors (Wang et al. 2024), in closed form.
//   logits = s f t^T + alpha (W f + b),   W = mu P,   b_c = -log C - mu_c^T P mu_c / 2
//   P = D ((n - 1) S + tr(S) I)^-1
// mu_c are class means of the n training features (views are rows of their own), S the covariance
// of the features less their class's mean, D their width. alpha is searched on the validation
// samples. One sample a class has no covariance, and then W is 0: give it views.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_cholesky.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/class_statistics.hpp>
#include <espalier/peft/logits_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct GdaParams {
  double alpha = 0;
};

void bind(espalier::Schema<GdaParams>& s) {
  s.field("alpha", &GdaParams::alpha)
      .range(0, 1e6)
      .doc(
          "Factor on the discriminant; 0 for the power of ten that is best on the validation "
          "images, 1 without any")
      .source("Wang et al. 2024");
  s.paper(espalier::Json::object(), "in closed form");
}

// mu P [classes, width]. Without any spread there is no direction to prefer.
at::Tensor precision_times(const at::Tensor& centred, const at::Tensor& means) {
  const at::Tensor scatter = at::matmul(centred.t(), centred);
  const std::int64_t width = centred.size(1);
  const auto others = static_cast<double>(std::max<std::int64_t>(1, centred.size(0) - 1));
  const at::Tensor trace = scatter.diagonal().sum() / others;
  if (trace.item<double>() == 0) return at::zeros_like(means);
  const at::Tensor shrunk = scatter + at::eye(width, scatter.options()) * trace;
  const at::Tensor solved = at::cholesky_solve(means.t(), at::linalg_cholesky(shrunk));
  return solved.t() * static_cast<double>(width);
}

class Gda final : public espalier::LogitsMethod {
 public:
  using Params = GdaParams;
  Gda(const Params& params, const espalier::RunContext&)
      : searched_(params.alpha == 0), alpha_(searched_ ? 1 : params.alpha) {}

  [[nodiscard]] espalier::Json facts() const override { return {{"alpha", alpha_}}; }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("gda", {{"alpha", espalier::number(alpha_)}});
  }

 private:
  void fit(const espalier::MethodInput& input) override {
    const std::int64_t classes = input.classes.size(0);
    const at::Tensor x = input.train.features.to(at::kDouble);
    const at::Tensor means = espalier::class_means(x, input.train.labels, classes);
    const at::Tensor weight = precision_times(x - means.index_select(0, input.train.labels), means);
    const at::Tensor bias = (weight * means).sum(1) / -2 - std::log(static_cast<double>(classes));
    weight_ = weight.to(at::kFloat);
    bias_ = bias.to(at::kFloat);
    if (searched_ && input.val.labels.numel() > 0) search(input.val);
  }

  // Of equals the smallest.
  void search(const espalier::JudgedFeatures& val) {
    std::int64_t best = -1;
    const at::Tensor own = discriminant(val.features, 1);
    for (const double alpha : {1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2}) {
      const std::int64_t now = espalier::hits(val.logits + own * alpha, val.labels);
      if (now <= best) continue;
      best = now;
      alpha_ = alpha;
    }
  }

  void begin(espalier::Parameters&) override {
    weight_ = keep("weight", weight_);
    bias_ = keep("bias", bias_);
  }

  // alpha (W f + b)
  [[nodiscard]] at::Tensor discriminant(const at::Tensor& features, double alpha) const {
    return at::linear(features, weight_ * alpha, bias_ * alpha);
  }
  [[nodiscard]] at::Tensor scores(const at::Tensor& features,
                                  const at::Tensor& logits) const override {
    return logits + discriminant(features, alpha_);
  }

  bool searched_;
  double alpha_;
  at::Tensor weight_;  // [classes, width]
  at::Tensor bias_;    // [classes]
};

}  // namespace

ESPALIER_COMPONENT(peft, "gda", 1, Gda,
                   "A Gaussian discriminant beside the class vectors (Wang et al. 2024)",
                   "needs_sites needs_features needs_class_texts class_bound fits_features")
