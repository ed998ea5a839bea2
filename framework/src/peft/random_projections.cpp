#include <espalier/peft/random_projections.hpp>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/seeded.hpp>

namespace espalier {

std::vector<Parameters::Entry> ProjectionMethod::buffers() const {
  if (!params_.save_projection || !random_.a.defined()) return {};
  return {{"base_model." + prefix_ + "_A", random_.a}, {"base_model." + prefix_ + "_B", random_.b}};
}

void ProjectionMethod::begin(const AdaptableEncoder&, std::span<Site* const> sites,
                             Parameters& parameters, Random&) {
  const MapSizes most = largest_of(sites);
  at::Generator generator = seeded_generator(params_.projection_prng_key);
  random_.a = seeded_kaiming({rows_, most.inputs}, generator).to(parameters.device());
  random_.b = seeded_kaiming({most.outputs, params_.r}, generator).to(parameters.device());
}

std::shared_ptr<MapChange> ProjectionMethod::change(Site& site, Parameters& parameters, Random&) {
  const std::int64_t out = outputs_of(site);
  const std::string name = site.name + "." + prefix_ + "_lambda_";
  const at::Tensor b = parameters.add(name + "b", at::zeros({out}, at::kFloat));
  const at::Tensor d = parameters.add(name + "d", at::full({rows_}, params_.d_initial, at::kFloat));
  const Factors part{random_.a.slice(1, 0, inputs_of(site)), random_.b.slice(0, 0, out)};
  return change(site.name, {part, b, d});
}

Json ProjectionMethod::projection_config(std::string_view peft_type) const {
  Json config = config_of(peft_type);
  config["r"] = params_.r;
  config["projection_prng_key"] = params_.projection_prng_key;
  config["save_projection"] = params_.save_projection;
  config["d_initial"] = params_.d_initial;
  return config;
}

}  // namespace espalier
