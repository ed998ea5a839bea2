#include <espalier/peft/lycoris.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <espalier/nn/dropout.hpp>
#include <espalier/peft/adapter.hpp>

namespace espalier {
namespace {

// [rows, 1]: 0 for those that are left out.
at::Tensor kept_rows(std::int64_t rows, const WeightDropout& dropout, Random& random) {
  at::Tensor kept = at::zeros({rows, 1}, at::kFloat);
  auto* const values = kept.data_ptr<float>();
  std::generate(values, values + rows,
                [&] { return random.uniform() < dropout.rows ? 0.0F : 1.0F; });
  const double share = kept.mean().item<double>();
  return dropout.scaled && share > 0 ? kept / share : kept;
}

}  // namespace

at::Tensor LycorisWeight::output(const at::Tensor& x, const at::Tensor& y, const Mode& mode) const {
  if (!mode.training || (dropout_.rows == 0 && dropout_.module == 0)) {
    return AddedWeight::output(x, y, mode);
  }
  Random random = step_random(mode, dropout_.site);
  if (random.uniform() < dropout_.module) return y;
  const at::Tensor weight = delta();
  const at::Tensor kept = kept_rows(weight.size(0), dropout_, random).to(weight.device());
  return y + at::linear(x, (weight * kept).to(x.scalar_type()));
}

LycorisMethod::LycorisMethod(const LycorisParams& params)
    : LinearMethod(params),
      params_(params),
      ranks_(params.rank_pattern, static_cast<double>(params.r), "rank_pattern"),
      alphas_(params.alpha_pattern, params.alpha, "alpha_pattern") {}

std::int64_t LycorisMethod::rank(const Site& site) const {
  return static_cast<std::int64_t>(ranks_.of(site.name));
}

double LycorisMethod::scale(const Site& site) const {
  return alphas_.of(site.name) / static_cast<double>(rank(site));
}

WeightDropout LycorisMethod::dropout(const Site& site) const {
  return {.site = site.name, .rows = params_.rank_dropout, .module = params_.module_dropout};
}

Json LycorisMethod::lycoris_config(std::string_view peft_type) const {
  Json config = config_of(peft_type);
  config["r"] = params_.r;
  config["alpha"] = number(params_.alpha);
  config["rank_dropout"] = params_.rank_dropout;
  config["module_dropout"] = params_.module_dropout;
  config["rank_pattern"] = pattern_json(ranks_, 1);
  config["alpha_pattern"] = pattern_json(alphas_, 1);
  return config;
}

}  // namespace espalier
