#include "combination_parity_internal.hpp"

#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/peft/combine.hpp>
#include <espalier/peft/module_names.hpp>
#include <espalier/peft/published.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <espalier/plugin/peft.hpp>
#include <string>
#include <utility>

#include "recorded_internal.hpp"

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;

constexpr double output_tolerance = 1e-5;

class CombinationCase {
 public:
  CombinationCase(const fs::path& folder, const Json& meta, const Catalog& catalog,
                  const std::string& device)
      : folder_(folder),
        weights_(meta.at("weights").get<std::vector<double>>()),
        recorded_(read_named_tensors(folder / "expected.safetensors")),
        log_("parity"),
        loader_(catalog),
        context_(loader_, log_),
        device_(device),
        encoder_(load_pretrained(folder / ".." / meta.at("base").get<std::string>(),
                                 {.families = {}, .device = device})) {
    for (const char* name : {"pixel_values", "input_ids", "attention_mask"}) {
      inputs_[name] = recorded_["input." + std::string(name)];
    }
  }

  std::vector<TensorDifference> run() {
    const std::vector<Adapter> pair = {adapter("a"), adapter("b")};
    for (const char* name : {"a", "b", "linear", "svd", "cat"}) compare(name, adapter(name));
    for (const char* name : {"linear", "svd", "cat"}) {
      compare(name, combine(pair, weights_, combination_of(name)));
    }
    compare("both", combine(pair, {1, 1}, Combination::cat));
    return recorded_.take_rows();
  }

 private:
  [[nodiscard]] Adapter adapter(const char* name) const {
    return with_names_here(read_adapter(folder_ / name), *encoder_);
  }

  void compare(const std::string& name, const Adapter& adapter) {
    const c10::NoGradGuard no_grad;
    encoder_->reset();
    ComponentRef component = published_method(adapter.config, name).component;
    component.params["use"] = component.use;
    const auto method = loader_.make<Peft>(component.params, context_);
    Parameters parameters;
    const Parameters::Scope there(parameters, "", device_of(device_));
    Random random(std::int64_t{1}, "peft");
    method->attach(*encoder_, parameters, random);
    copy_tensors(adapter.tensors, parameters.entries(), name);
    NamedTensors out = run_on_tensors(*encoder_, inputs_, /*hidden_states=*/false);
    recorded_.compare(name + ".image_features", out["image_embeds_raw"], output_tolerance);
    recorded_.compare(name + ".text_features", out["text_embeds_raw"], output_tolerance);
    recorded_.compare(name + ".logits", out["logits_per_image"], output_tolerance);
  }

  fs::path folder_;
  std::vector<double> weights_;
  Recorded recorded_;
  NamedTensors inputs_;
  spdlog::logger log_;
  Loader loader_;
  LoaderContext context_;
  std::string device_;
  std::unique_ptr<AdaptableEncoder> encoder_;
};

}  // namespace

std::vector<TensorDifference> combination_parity(const fs::path& folder, const Json& meta,
                                                 const Catalog& catalog,
                                                 const std::string& device) {
  return CombinationCase(folder, meta, catalog, device).run();
}

}  // namespace espalier::conformance
