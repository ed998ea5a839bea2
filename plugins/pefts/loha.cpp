// LoHa (FedPara's product, Hyeon-Woo, Ye-Bin and Oh 2022; LyCORIS, Yeh et al. 2024): two low ranks
// multiplied element by element, whose product can have the square of their rank.
//   W' = W + alpha / r (A1 B1) * (A2 B2)
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/lycoris.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Parameters;
using espalier::Site;

struct LohaParams : espalier::LycorisParams {};

void bind(espalier::Schema<LohaParams>& s) {
  bind_lycoris(s);
  compared_by_peft(s);
}

class LohaWeight final : public espalier::LycorisWeight {
 public:
  // The factors in the order of the formula.
  LohaWeight(espalier::WeightDropout dropout, std::vector<at::Tensor> factors, double scale)
      : LycorisWeight(std::move(dropout)), factors_(std::move(factors)), scale_(scale) {}

  [[nodiscard]] at::Tensor delta() const override {
    return at::matmul(factors_[0], factors_[1]) * at::matmul(factors_[2], factors_[3]) * scale_;
  }

 private:
  std::vector<at::Tensor> factors_;
  double scale_;
};

class Loha final : public espalier::LycorisMethod {
 public:
  using Params = LohaParams;
  Loha(const Params& params, const espalier::RunContext&) : LycorisMethod(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override { return lycoris_config("LOHA"); }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override {
    const std::int64_t r = rank(site);
    espalier::require_rank("r", r, site);
    const std::int64_t in = inputs_of(site), out = outputs_of(site);
    std::vector<at::Tensor> factors;
    const auto add = [&](const char* name, const at::Tensor& start) {
      factors.push_back(parameters.add(site.name + name, start));
    };
    add(".hada_w1_a", espalier::linear_init({out, r}, random));
    add(".hada_w1_b", espalier::linear_init({r, in}, random));
    add(".hada_w2_a", espalier::linear_init({out, r}, random));
    add(".hada_w2_b", at::zeros({r, in}, at::kFloat));
    return std::make_shared<LohaWeight>(dropout(site), std::move(factors), scale(site));
  }
};

}  // namespace

ESPALIER_COMPONENT(peft, "loha", 1, Loha,
                   "Adds the elementwise product of two low ranks (Hyeon-Woo 2022, Yeh 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
