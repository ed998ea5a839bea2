// VeRA (Kopiczko, Blankevoort and Asano 2024): one pair of random matrices for all maps, which stay
// as they are, and two trained vectors a map, b of its outputs and d of the ranks.
//   W' = W + diag(b) B[:out] diag(d) A[:, :in]
#include <ATen/TensorOperators.h>

#include <espalier/peft/random_projections.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;

struct VeraParams : espalier::ProjectionParams {
  double vera_dropout = 0;
};

void bind(espalier::Schema<VeraParams>& s) {
  bind_projections(s);
  s.field("vera_dropout", &VeraParams::vera_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  bind_bias(s, "vera_only");
  compared_by_peft(s);
}

class VeraChange final : public espalier::AddedProduct {
 public:
  VeraChange(espalier::InputDropout dropout, Factors random, at::Tensor b, at::Tensor d)
      : AddedProduct(std::move(dropout)),
        random_(std::move(random)),
        b_(std::move(b)),
        d_(std::move(d)) {}

  [[nodiscard]] Factors factors() const override {
    return {random_.a * d_.unsqueeze(1), random_.b * b_.unsqueeze(1)};
  }

 private:
  Factors random_;
  at::Tensor b_;
  at::Tensor d_;
};

class Vera final : public espalier::ProjectionMethod {
 public:
  using Params = VeraParams;
  Vera(const Params& params, const espalier::RunContext&)
      : ProjectionMethod(params, "vera", 1), dropout_(params.vera_dropout) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = projection_config("VERA");
    config["vera_dropout"] = dropout_;
    return config;
  }

 private:
  [[nodiscard]] std::shared_ptr<espalier::MapChange> change(const std::string& site,
                                                            Share share) const override {
    return std::make_shared<VeraChange>(espalier::InputDropout{site, dropout_}, share.random,
                                        share.b, share.d);
  }

  double dropout_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "vera", 1, Vera,
                   "Scales a shared pair of random matrices for each map (Kopiczko 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
