// A pair of random matrices that all maps share and nobody trains: A [ranks, inputs] and B
// [outputs, rank], as large as the largest map needs. What VeRA and its kin are made of.
#pragma once

#include <cstdint>
#include <espalier/peft/linear_method.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct ProjectionParams : TargetParams {
  ProjectionParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 256;
  std::int64_t projection_prng_key = 0;
  bool save_projection = true;
  double d_initial = 0.1;
  std::string bias = "none";
};

template <class Params>
void bind_projections(Schema<Params>& s) {
  bind_targets(s);
  s.template field<std::int64_t>("r", &Params::r)
      .sizes()
      .range(1, 65536)
      .doc("Rank")
      .source("Hugging Face PEFT");
  s.template field<std::int64_t>("projection_prng_key", &Params::projection_prng_key)
      .min(0)
      .doc("Seed of the random matrices, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.template field<bool>("save_projection", &Params::save_projection)
      .doc("Keep the random matrices in the adapter, instead of their seed alone");
  s.template field<double>("d_initial", &Params::d_initial)
      .range(-100, 100)
      .doc("Start of d; b starts at 0")
      .source("Kopiczko, Blankevoort and Asano 2024");
}

// With vectors d of the rows of A and b of the rows of B that each map trains.
class ProjectionMethod : public LinearMethod {
 public:
  // PREFIX_A and PREFIX_B, where they are saved.
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const final;

 protected:
  // `rows` of A for each rank; PREFIX_lambda_b and PREFIX_lambda_d are what a map trains.
  ProjectionMethod(const ProjectionParams& params, std::string prefix, std::int64_t rows)
      : LinearMethod(params, params.bias),
        params_(params),
        prefix_(std::move(prefix)),
        rows_(rows * params.r) {}

  // What a map has of the matrices, and what it trains: b [outputs], d [rows of A].
  struct Share {
    Factors random;
    at::Tensor b;
    at::Tensor d;
  };
  [[nodiscard]] virtual std::shared_ptr<MapChange> change(const std::string& site,
                                                          Share share) const = 0;
  // config_of() with the keys of ProjectionParams.
  [[nodiscard]] Json projection_config(std::string_view peft_type) const;

 private:
  void begin(const AdaptableEncoder& encoder, std::span<Site* const> sites, Parameters& parameters,
             Random& random) final;
  std::shared_ptr<MapChange> change(Site& site, Parameters& parameters, Random& random) final;

  ProjectionParams params_;
  std::string prefix_;
  std::int64_t rows_;
  Factors random_;
};

}  // namespace espalier
