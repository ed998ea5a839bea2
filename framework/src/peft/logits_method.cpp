#include <espalier/peft/logits_method.hpp>

#include <espalier/core/error.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/peft/adapter.hpp>

namespace espalier {

void LogitsMethod::prepare(const MethodInput& input) {
  if (!input.classes.defined()) {
    throw Error({.what = "the method changes scores that class vectors give, and there are none",
                 .where = {},
                 .expected = "texts of the classes",
                 .found = "a head without them",
                 .fix = "head.use=prompts"});
  }
  MethodInput unit = input;
  unit.train.features = unit_rows(input.train.features);
  unit.val.features = unit_rows(input.val.features);
  unit.classes = unit_rows(input.classes);
  fit(unit);
  fitted_ = true;
}

void LogitsMethod::attach(AdaptableEncoder& encoder, Parameters& parameters, Random&) {
  for (Site* site : encoder.sites(SiteRole::logits)) {
    if (!fitted_) refuse_unprepared();
    const Parameters::Scope here(parameters, "", at::kCPU);
    begin(parameters);
    site->hook_output([this](const at::Tensor& features, const at::Tensor& logits, const Mode&) {
      return scores(unit_rows(features), logits);
    });
  }
}

at::Tensor LogitsMethod::keep(const std::string& name, const at::Tensor& tensor) {
  return buffers_.emplace_back(name, tensor.contiguous()).second;
}

}  // namespace espalier
