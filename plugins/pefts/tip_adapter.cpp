// Tip-Adapter (Zhang et al. 2022): a cache of the training samples beside the class vectors.
//   logits = s f t^T + alpha exp(-beta (1 - f K^T)) V
// K are the features of the samples, the mean over a sample's views brought to length 1, V their
// labels. Tip-Adapter-F trains K, which is not brought to length 1 again. alpha and beta are
// searched on the validation samples when training has ended.
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include <espalier/nn/unit_rows.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/class_statistics.hpp>
#include <espalier/peft/logits_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct TipAdapterParams {
  bool train_keys = false;
  double alpha = 1.17;
  double beta = 1;
  double search_alpha = 3;
  double search_beta = 7;
};

void bind(espalier::Schema<TipAdapterParams>& s) {
  s.field("train_keys", &TipAdapterParams::train_keys)
      .doc("Train the cached features: Tip-Adapter-F");
  s.field("alpha", &TipAdapterParams::alpha)
      .range(0, 1e4)
      .doc("Factor on the scores of the cache, before a search")
      .source("Zhang et al. 2022, init_alpha");
  s.field("beta", &TipAdapterParams::beta)
      .range(0, 1e4)
      .doc("Sharpness of the cache, before a search")
      .source("Zhang et al. 2022, init_beta");
  s.field("search_alpha", &TipAdapterParams::search_alpha)
      .range(0, 1e4)
      .doc(
          "End of the 20 values of alpha tried on the validation images, from 0.1; 0 for no search")
      .source("Zhang et al. 2022, search_scale; 50 for Flowers102, 10 for Food101");
  s.field("search_beta", &TipAdapterParams::search_beta)
      .range(0, 1e4)
      .doc(
          "End of the 200 values of beta tried on the validation images, from 0.1; 0 for no search")
      .source("Zhang et al. 2022, search_scale; 50 for Flowers102, 10 for Food101");
  s.paper(
      {{"lr", 1e-3}, {"eps", 1e-4}, {"batch_size", 256}, {"epochs", 20}, {"schedule", "cosine"}},
      "the authors' code, with the keys trained");
}

constexpr std::int64_t alphas = 20;
constexpr std::int64_t betas = 200;

// Where `end` is 0 the present value alone.
std::vector<double> tried(double present, double end, std::int64_t count) {
  constexpr double first = 0.1;
  if (end == 0) return {present};
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(first + static_cast<double>(i) * (end - first) / static_cast<double>(count));
  }
  return values;
}

class TipAdapter final : public espalier::LogitsMethod {
 public:
  using Params = TipAdapterParams;
  TipAdapter(const Params& params, const espalier::RunContext&)
      : params_(params), alpha_(params.alpha), beta_(params.beta) {}

  // Of equals the first, and what is there already where nothing is better.
  void conclude(const espalier::JudgedFeatures& val) override {
    const at::Tensor affinity = at::matmul(espalier::unit_rows(val.features), keys_.detach().t());
    std::int64_t best = right(val, cached(affinity, beta_), alpha_);
    for (const double beta : tried(params_.beta, params_.search_beta, betas)) {
      const at::Tensor cache = cached(affinity, beta);
      for (const double alpha : tried(params_.alpha, params_.search_alpha, alphas)) {
        const std::int64_t now = right(val, cache, alpha);
        if (now <= best) continue;
        best = now;
        alpha_ = alpha;
        beta_ = beta;
      }
    }
  }

  [[nodiscard]] espalier::Json facts() const override {
    return {{"alpha", alpha_}, {"beta", beta_}};
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("tip_adapter", {{"train_keys", params_.train_keys},
                                                        {"alpha", espalier::number(alpha_)},
                                                        {"beta", espalier::number(beta_)}});
  }

 private:
  void fit(const espalier::MethodInput& input) override {
    const at::Tensor& x = input.train.features;
    keys_ = espalier::unit_rows(x.view({-1, input.views, x.size(1)}).mean(1));
    const at::Tensor labels = input.train.labels.view({-1, input.views}).select(1, 0);
    values_ = espalier::indicators(labels, input.classes.size(0));
  }

  void begin(espalier::Parameters& parameters) override {
    keys_ = params_.train_keys ? parameters.add("keys", keys_) : keep("keys", keys_);
    values_ = keep("values", values_);
  }

  [[nodiscard]] at::Tensor scores(const at::Tensor& features,
                                  const at::Tensor& logits) const override {
    return logits + cached(at::matmul(features, keys_.t()), beta_) * alpha_;
  }

  [[nodiscard]] at::Tensor cached(const at::Tensor& affinity, double beta) const {
    return at::matmul(((affinity - 1) * beta).exp(), values_);
  }

  static std::int64_t right(const espalier::JudgedFeatures& val, const at::Tensor& cache,
                            double alpha) {
    return espalier::hits(val.logits + cache * alpha, val.labels);
  }

  Params params_;
  double alpha_;
  double beta_;
  at::Tensor keys_;    // [samples, width]
  at::Tensor values_;  // [samples, classes]
};

}  // namespace

ESPALIER_COMPONENT(peft, "tip_adapter", 1, TipAdapter,
                   "A cache of the training images beside the class vectors (Zhang et al. 2022)",
                   "needs_sites needs_features needs_class_texts class_bound fits_features tuned "
                   "unseen:search_alpha unseen:search_beta")
