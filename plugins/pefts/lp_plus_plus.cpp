// LP++ (Huang et al. 2024): a linear probe and the class vectors, weighed class by class.
//   logits_c = w_c f + b_c + alpha_c f t_c
// The start is the paper's: w_c the sum of the training features of class c, alpha_c for all
// classes `factor` times the mean cosine of a training feature with its own class vector. The
// paper's descent takes steps from the curvatures of the loss, 4 n / lmax(F^T F) for w and n / (4
// max_c sum_i (f_i t_c)^2) for alpha. AdamW's steps have no size of a gradient: here those of w are
// as many times train.lr as w_c is long at the start, as if it began at length 1, and those of
// alpha as many times these as the root of the paper's ratio. The published code draws the start of
// b, which is 0 here.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/class_statistics.hpp>
#include <espalier/peft/logits_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct LpPlusPlusParams {
  double factor = 250;
};

void bind(espalier::Schema<LpPlusPlusParams>& s) {
  s.field("factor", &LpPlusPlusParams::factor)
      .above(0)
      .max(1e6)
      .doc("Start of the class vectors' weights over the mean cosine of an image with its class")
      .source("Huang et al. 2024");
  s.paper({{"epochs", 300}, {"batch_size", 0}},
          "the authors' code; its rates follow from the data");
}

double largest_eigenvalue(const at::Tensor& x) {
  const at::Tensor gram = x.size(0) < x.size(1) ? at::matmul(x, x.t()) : at::matmul(x.t(), x);
  return at::linalg_eigvalsh(gram).max().item<double>();
}

class LpPlusPlus final : public espalier::LogitsMethod {
 public:
  using Params = LpPlusPlusParams;
  LpPlusPlus(const Params& params, const espalier::RunContext&) : factor_(params.factor) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("lp_plus_plus", {{"factor", espalier::number(factor_)}});
  }

 private:
  void fit(const espalier::MethodInput& input) override {
    const at::Tensor& x = input.train.features;
    const at::Tensor of = espalier::indicators(input.train.labels, input.classes.size(0));
    const at::Tensor cosines = at::matmul(x, input.classes.t());
    const at::Tensor own = (cosines * of).sum(0);
    weight_ = at::matmul(of.t(), x) / static_cast<double>(input.views);
    const auto mean =
        (own / espalier::rows_per_class(input.train.labels, of.size(1))).mean().item<float>();
    alpha_ = at::full({of.size(1)}, factor_ * mean, at::kFloat);
    bias_ = at::zeros({of.size(1)}, at::kFloat);
    classes_ = input.classes;
    pace_ = weight_.norm(2, 1).mean().item<double>();
    const double steepest = cosines.square().sum(0).max().item<double>();
    faster_ = std::sqrt(largest_eigenvalue(x) / steepest) / 4;
  }

  void begin(espalier::Parameters& parameters) override {
    weight_ = parameters.add("weight", weight_, {.lr = pace_, .decay = 0});
    bias_ = parameters.add("bias", bias_, {.lr = pace_, .decay = 0});
    alpha_ = parameters.add("alpha", alpha_, {.lr = pace_ * faster_, .decay = 0});
  }

  [[nodiscard]] at::Tensor scores(const at::Tensor& features, const at::Tensor&) const override {
    return at::linear(features, weight_ + classes_ * alpha_.unsqueeze(1), bias_);
  }

  double factor_;
  double pace_ = 1;     // of w and b, over train.lr
  double faster_ = 1;   // alpha's over theirs
  at::Tensor weight_;   // [classes, width]
  at::Tensor bias_;     // [classes]
  at::Tensor alpha_;    // [classes]
  at::Tensor classes_;  // [classes, width]
};

}  // namespace

ESPALIER_COMPONENT(peft, "lp_plus_plus", 1, LpPlusPlus,
                   "A linear probe and weighed class vectors, LP++ (Huang et al. 2024)",
                   "needs_sites needs_features needs_class_texts class_bound fits_features")
