// LoKr (LyCORIS, Yeh et al. 2024): a Kronecker product of two matrices, of which the larger one is
// a low rank where that is smaller.
//   W' = W + alpha / r kron(W1, W2)
#include <ATen/TensorOperators.h>
#include <ATen/ops/kron.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <espalier/peft/lycoris.hpp>
#include <espalier/plugin/component.hpp>
#include <utility>

namespace {

using espalier::Parameters;
using espalier::Site;

struct LokrParams : espalier::LycorisParams {
  bool decompose_both = false;
  std::int64_t decompose_factor = -1;
  bool rank_dropout_scale = false;
};

void bind(espalier::Schema<LokrParams>& s) {
  bind_lycoris(s);
  s.field("decompose_both", &LokrParams::decompose_both)
      .doc("Let the smaller matrix be a low rank as well, where that is smaller");
  s.field("decompose_factor", &LokrParams::decompose_factor)
      .range(-1, 65536)
      .doc("Size of the smaller matrix, or the nearest that divides; -1 for the square root")
      .source("Hugging Face PEFT");
  s.field("rank_dropout_scale", &LokrParams::rank_dropout_scale)
      .doc("Let the rows that stay make up for those that rank_dropout leaves out")
      .only_if("rank_dropout > 0");
  s.check("decompose_factor != 0", "decompose_factor is a size, or -1");
  compared_by_peft(s, {{"lr", 3e-3}});
}

// Two factors of a width, the smaller one first: `factor` where that divides, else the largest
// below it, or without one the two that are nearest to each other.
std::pair<std::int64_t, std::int64_t> factors_of(std::int64_t width, std::int64_t factor) {
  if (factor > 0 && width % factor == 0) return {factor, width / factor};
  const std::int64_t most = factor == -1 ? width : factor;
  std::int64_t small = 1;
  for (std::int64_t next = 1; next * next <= width && next <= most; ++next) {
    if (width % next == 0) small = next;
  }
  return {small, width / small};
}

// A matrix, whole or as the product of two.
class Side {
 public:
  explicit Side(at::Tensor whole) : whole_(std::move(whole)) {}
  Side(at::Tensor a, at::Tensor b) : whole_(std::move(a)), right_(std::move(b)) {}
  [[nodiscard]] at::Tensor now() const {
    return right_.defined() ? at::matmul(whole_, right_) : whole_;
  }

 private:
  at::Tensor whole_;
  at::Tensor right_;
};

class LokrWeight final : public espalier::LycorisWeight {
 public:
  LokrWeight(espalier::WeightDropout dropout, Side first, Side second, double scale)
      : LycorisWeight(std::move(dropout)),
        first_(std::move(first)),
        second_(std::move(second)),
        scale_(scale) {}

  [[nodiscard]] at::Tensor delta() const override {
    return at::kron(first_.now(), second_.now()) * scale_;
  }

 private:
  Side first_;
  Side second_;
  double scale_;
};

class Lokr final : public espalier::LycorisMethod {
 public:
  using Params = LokrParams;
  Lokr(const Params& params, const espalier::RunContext&)
      : LycorisMethod(params), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = lycoris_config("LOKR");
    config["decompose_both"] = params_.decompose_both;
    config["decompose_factor"] = params_.decompose_factor;
    config["rank_dropout_scale"] = params_.rank_dropout_scale;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override {
    const auto [in_first, in_second] = factors_of(inputs_of(site), params_.decompose_factor);
    const auto [out_first, out_second] = factors_of(outputs_of(site), params_.decompose_factor);
    const std::int64_t r = rank(site);
    const auto pays = [r](std::int64_t rows, std::int64_t columns) {
      return 2 * r < std::max(rows, columns);
    };
    const auto add = [&](const std::string& name, const at::Tensor& start) {
      return parameters.add(site.name + ".lokr_" + name, start);
    };
    const auto zeros = [](std::int64_t rows, std::int64_t columns) {
      return at::zeros({rows, columns}, at::kFloat);
    };
    const auto drawn = [&](std::int64_t rows, std::int64_t columns) {
      return espalier::linear_init({rows, columns}, random);
    };
    const Side first = params_.decompose_both && pays(out_first, in_first)
                           ? Side{add("w1_a", zeros(out_first, r)), add("w1_b", drawn(r, in_first))}
                           : Side{add("w1", zeros(out_first, in_first))};
    const Side second = pays(out_second, in_second) ? Side{add("w2_a", drawn(out_second, r)),
                                                           add("w2_b", drawn(r, in_second))}
                                                    : Side{add("w2", drawn(out_second, in_second))};
    espalier::WeightDropout drops = dropout(site);
    drops.scaled = params_.rank_dropout_scale;
    return std::make_shared<LokrWeight>(std::move(drops), first, second, scale(site));
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "lokr", 1, Lokr, "Adds a Kronecker product of small matrices (Yeh 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
