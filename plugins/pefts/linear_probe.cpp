// The linear probe on frozen features (Radford et al. 2021), in the place of the class vectors.
//   logits = f W^T + b
// By `lbfgs` W and b are the minimum of |W|^2 / 2 + C sum cross-entropy, with C searched on the
// validation samples as CLIP and CoOp do: seven powers of ten, then eight halvings of the two
// decades around the best. By `loop` they start at 0 and are trained like anything else.
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/class_statistics.hpp>
#include <espalier/peft/logistic_regression.hpp>
#include <espalier/peft/logits_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::LogisticFit;
using espalier::LogisticRegression;

struct LinearProbeParams {
  std::string solver = "lbfgs";
  double C = 0;
};

void bind(espalier::Schema<LinearProbeParams>& s) {
  s.field("solver", &LinearProbeParams::solver)
      .choices({"lbfgs", "loop"})
      .doc("lbfgs solves it at once and trains nothing, loop trains it with AdamW as train says");
  s.field("C", &LinearProbeParams::C)
      .range(0, 1e12)
      .only_if("solver == 'lbfgs'")
      .doc(
          "Weight of the loss beside the penalty; 0 for a search on the validation images, CLIP's "
          "0.316 without any")
      .source("Radford et al. 2021; Zhou et al. 2022");
  s.paper(espalier::Json::object(), "in closed form");
}

// scikit-learn's own, for a comparison; and one that is as good as exact.
constexpr double rough = 1e-4;
constexpr double exact = 1e-7;

class SearchC {
 public:
  SearchC(const LogisticRegression& problem, const espalier::JudgedFeatures& val)
      : problem_(problem), val_(val) {}

  // As CoOp has it. The decades' ends are fitted once each.
  [[nodiscard]] double best() const {
    double peak = 6;
    std::int64_t most = right(peak);
    for (const double exponent : {4.0, 2.0, 0.0, -2.0, -4.0, -6.0}) {
      const std::int64_t now = right(exponent);
      if (now > most) most = now, peak = exponent;
    }
    return std::pow(10.0, narrowed(peak - 1, peak + 1));
  }

 private:
  [[nodiscard]] double narrowed(double left, double right_end) const {
    std::int64_t at_left = right(left), at_right = right(right_end);
    for (int step = 1;; ++step) {
      const bool rightmost = at_left < at_right;
      constexpr int steps = 8;
      if (step == steps) return rightmost ? right_end : left;
      const double middle = (left + right_end) / 2;
      const std::int64_t at_middle = right(middle);
      (rightmost ? left : right_end) = middle;
      (rightmost ? at_left : at_right) = at_middle;
    }
  }

  [[nodiscard]] std::int64_t right(double exponent) const {
    const LogisticFit fit = problem_.fit(std::pow(10.0, exponent), rough);
    return espalier::hits(at::linear(val_.features, fit.weight, fit.bias), val_.labels);
  }

  const LogisticRegression& problem_;
  const espalier::JudgedFeatures& val_;
};

class LinearProbe final : public espalier::LogitsMethod {
 public:
  using Params = LinearProbeParams;
  LinearProbe(const Params& params, const espalier::RunContext&)
      : trained_(params.solver == "loop"), c_(params.C) {}

  [[nodiscard]] espalier::Json facts() const override {
    if (trained_) return espalier::Json::object();
    return {{"C", c_}};
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("linear_probe", {{"solver", trained_ ? "loop" : "lbfgs"}});
  }

 private:
  void fit(const espalier::MethodInput& input) override {
    const std::int64_t classes = input.classes.size(0);
    if (trained_) {
      start_ = {at::zeros({classes, input.classes.size(1)}, at::kFloat),
                at::zeros({classes}, at::kFloat)};
      return;
    }
    constexpr double of_clip = 0.316;
    const LogisticRegression problem(input.train.features, input.train.labels, classes);
    const bool can_search = input.val.labels.numel() > 0;
    if (c_ == 0) c_ = can_search ? SearchC(problem, input.val).best() : of_clip;
    start_ = problem.fit(c_, exact);
  }

  void begin(espalier::Parameters& parameters) override {
    weight_ = trained_ ? parameters.add("weight", start_.weight) : keep("weight", start_.weight);
    bias_ = trained_ ? parameters.add("bias", start_.bias) : keep("bias", start_.bias);
  }

  [[nodiscard]] at::Tensor scores(const at::Tensor& features, const at::Tensor&) const override {
    return at::linear(features, weight_, bias_);
  }

  bool trained_;
  double c_;
  LogisticFit start_;
  at::Tensor weight_;  // [classes, width]
  at::Tensor bias_;    // [classes]
};

}  // namespace

ESPALIER_COMPONENT(peft, "linear_probe", 1, LinearProbe,
                   "Logistic regression on frozen features (Radford et al. 2021)",
                   "needs_sites needs_features needs_class_texts class_bound fits_features")
