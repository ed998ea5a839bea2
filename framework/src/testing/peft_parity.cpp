#include <espalier/testing/peft_parity.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/adamw.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/peft/module_names.hpp>
#include <espalier/peft/published.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <espalier/plugin/peft.hpp>
#include <string>

#include "combination_parity_internal.hpp"
#include "feature_parity_internal.hpp"
#include "peft_cases_internal.hpp"
#include "recorded_internal.hpp"
#include "recorded_sample_graph_internal.hpp"

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;

constexpr double value_tolerance = 1e-5;
// Of what is summed over a whole tower, or comes out of a folded weight.
constexpr double sum_tolerance = 2e-5;

// A case in whose folder an adapter lies, or none.
bool has_adapter(const fs::path& folder) { return fs::exists(folder / "adapter_config.json"); }

fs::path base_of(const fs::path& folder, const std::string& name) {
  return fs::exists(folder / name) ? folder / name : folder / ".." / name;
}

NamedTensors inputs_of(const NamedTensors& expected) {
  NamedTensors inputs;
  for (const auto& [name, tensor] : expected) {
    if (name.starts_with("input.")) inputs[name.substr(6)] = tensor;
  }
  return inputs;
}

// Gradients and final tensors have the keys of the adapter's file.
NamedTensors keyed_as_here(NamedTensors expected, const AdaptableEncoder& encoder) {
  constexpr std::string_view wrapper = ".base_model.model.";
  NamedTensors renamed;
  for (const auto& [name, tensor] : expected) {
    const std::size_t at = name.find(wrapper);
    if (at == std::string::npos) {
      renamed.emplace(name, tensor);
      continue;
    }
    const Adapter one = with_names_here(
        {.config = Json::object(), .tensors = {{name.substr(at + wrapper.size()), tensor}}},
        encoder);
    renamed.emplace(name.substr(0, at + 1) + one.tensors.front().first, tensor);
  }
  return renamed;
}

class AdapterCase {
 public:
  AdapterCase(const fs::path& folder, const Json& meta, NamedTensors expected,
              const Catalog& catalog, const std::string& device)
      : folder_(folder),
        meta_(meta),
        device_(device),
        encoder_(load_pretrained(base_of(folder, meta.at("base").get<std::string>()),
                                 {.families = {}, .device = device})),
        inputs_(inputs_of(expected)),
        expected_(keyed_as_here(std::move(expected), *encoder_)),
        log_("parity"),
        loader_(catalog),
        context_(loader_, log_) {
    attach(make_method(folder));
  }

  std::vector<TensorDifference> run() {
    if (expected_.has("losses")) {
      train();
    } else {
      compare_on();
      compare_off();
      compare_merged();
      if (!has_adapter(folder_)) compare_others();
    }
    return expected_.take_rows();
  }

 private:
  void attach(const std::vector<Parameters::Entry>& recorded) {
    if (inputs_.contains("input_ids")) {
      const at::Tensor& scale = encoder_->log_logit_scale;
      method_->prepare(
          input_of_case(inputs_.at("input_ids"), scale.defined() ? scale.exp().item<double>() : 1));
    }
    if (inputs_.contains("node_pixel_values")) join();
    Random random(std::int64_t{1}, "peft");
    const Parameters::Scope there(parameters_, "", device_of(device_));
    method_->attach(*encoder_, parameters_, random);
    std::vector<Parameters::Entry> own = parameters_.entries();
    for (Parameters::Entry& buffer : method_->buffers()) own.push_back(std::move(buffer));
    copy_tensors(recorded, own, folder_.string());
  }

  void join() {
    graph_ = std::make_unique<RecordedSampleGraph>(inputs_);
    method_->join(*encoder_, *graph_, [this] {
      graph_->look(*encoder_->image());
      return true;
    });
  }

  // And what its parameters are in the case.
  std::vector<Parameters::Entry> make_method(const fs::path& folder) {
    if (!has_adapter(folder)) {
      method_ = loader_.make<Peft>(section_of_case(meta_), context_);
      return recorded_parameters();
    }
    Adapter adapter = with_names_here(read_adapter(folder), *encoder_);
    ComponentRef component = published_method(adapter.config, folder.string()).component;
    component.params["use"] = component.use;
    constexpr const char* of_training = "loraplus_lr_ratio";
    if (meta_.contains(of_training)) component.params[of_training] = meta_.at(of_training);
    method_ = loader_.make<Peft>(component.params, context_);
    return std::move(adapter.tensors);
  }

  [[nodiscard]] std::vector<Parameters::Entry> recorded_parameters() const {
    const NamedTensors recorded = read_named_tensors(folder_ / "parameters.safetensors");
    return {recorded.begin(), recorded.end()};
  }

  void compare(const std::string& name, const at::Tensor& actual, double tolerance,
               const std::string& prefix = "") {
    expected_.compare(name, actual, tolerance, prefix);
  }

  void compare_outputs(const std::string& when, NamedTensors& out, double tolerance) {
    compare(when + ".image_features", out["image_embeds_raw"], tolerance);
    compare(when + ".text_features", out["text_embeds_raw"], tolerance);
    compare(when + ".logits", out["logits_per_image"], tolerance);
    compare(when + ".vision_last_hidden", out["last_hidden_state.vision"], tolerance);
    compare(when + ".text_last_hidden", out["last_hidden_state.text"], tolerance);
  }

  // Of a model with one tower the logits are products with a probe.
  NamedTensors outputs() {
    return scored(run_on_tensors(*encoder_, inputs_, /*hidden_states=*/false));
  }

  NamedTensors scored(NamedTensors out) {
    for (auto& [name, tensor] : out) tensor = tensor.to(at::kCPU);
    if (!encoder_->image()) out["text_embeds_raw"] = out["sentence_embedding"];
    if (const auto probe = inputs_.find("probe"); probe != inputs_.end()) {
      const char* const tower = encoder_->image() ? "image_embeds_raw" : "text_embeds_raw";
      out["logits_per_image"] = at::matmul(out[tower], probe->second.t());
    }
    if (encoder_->image() && encoder_->text()) {
      out["logits_per_image"] =
          encoder_->score(out["image_embeds_raw"], out["logits_per_image"], {});
    }
    return out;
  }

  at::Tensor loss_of(NamedTensors& out) {
    return at::cross_entropy_loss(out["logits_per_image"], inputs_.at("labels").to(at::kLong));
  }

  void compare_on() {
    NamedTensors out = outputs();
    compare_outputs("on", out, value_tolerance);
    compare_gradients(out);
    out = scored(features_of_tensors(*encoder_, inputs_));
    const std::string prefix = "to_feature.";
    compare("on.image_features", out["image_embeds_raw"], value_tolerance, prefix);
    compare("on.text_features", out["text_embeds_raw"], value_tolerance, prefix);
    compare("on.logits", out["logits_per_image"], value_tolerance, prefix);
    compare_gradients(out, prefix);
  }

  void compare_gradients(NamedTensors& out, const std::string& prefix = "") {
    if (!expected_.has("loss")) return;
    const at::Tensor loss = loss_of(out);
    compare("loss", loss, value_tolerance, prefix);
    loss.backward();
    for (const auto& [name, tensor] : parameters_.entries()) {
      compare("grad." + name, tensor.grad(), sum_tolerance, prefix);
      tensor.mutable_grad().reset();
    }
  }

  // PEFT leaves trained biases where they are when an adapter is disabled.
  void compare_off() {
    const c10::NoGradGuard no_grad;
    std::vector<std::pair<at::Tensor*, at::Tensor>> replaced;
    std::vector<std::pair<Site*, std::pair<InputHook, OutputHook>>> hooks;
    for (Site* site : encoder_->sites()) {
      hooks.push_back({site, {site->input_hook(), site->output_hook()}});
      site->unhook();
    }
    const Json config = method_->adapter_config();
    const bool keeps = config.is_object() && config.value("bias", "none") != "none";
    for (const WeightSlot& weight : encoder_->weights()) {
      if (keeps && weight.name.ends_with(".bias")) continue;
      replaced.emplace_back(weight.slot, *weight.slot);
      *weight.slot = weight.frozen;
    }
    NamedTensors out = outputs();
    compare_outputs("off", out, value_tolerance);
    for (auto& [slot, tensor] : replaced) *slot = tensor;
    for (auto& [site, both] : hooks) {
      if (both.first) site->hook_input(both.first);
      if (both.second) site->hook_output(both.second);
    }
  }

  void compare_merged() {
    if (!expected_.has("merged.logits")) return;
    const c10::NoGradGuard no_grad;
    method_->merge(*encoder_);
    NamedTensors out = outputs();
    compare_outputs("merged", out, sum_tolerance);
    for (const WeightSlot& weight : encoder_->weights()) {
      compare("merged_weight." + weight.name, *weight.slot, value_tolerance);
    }
  }

  // The same parameters in other settings of the method.
  void compare_others() {
    const c10::NoGradGuard no_grad;
    for (const auto& [when, section] : other_sections_of_case(meta_)) {
      encoder_->reset();
      parameters_ = {};
      method_ = loader_.make<Peft>(section, context_);
      attach(recorded_parameters());
      NamedTensors out = outputs();
      compare_outputs(when, out, value_tolerance);
    }
  }

  void train() {
    const Json& optimiser = meta_.at("optimiser");
    AdamW adamw(parameters_, {.weight_decay = 0,
                              .beta1 = optimiser.at("betas").at(0),
                              .beta2 = optimiser.at("betas").at(1),
                              .eps = optimiser.at("eps")});
    std::vector<at::Tensor> losses;
    for (auto left = meta_.at("steps").get<std::int64_t>(); left > 0; --left) {
      NamedTensors out = outputs();
      losses.push_back(loss_of(out));
      losses.back().backward();
      adamw.step(meta_.at("lr").get<double>());
    }
    compare("losses", at::stack(losses), sum_tolerance);
    for (const auto& [name, tensor] : parameters_.entries()) {
      compare("final." + name, tensor, sum_tolerance);
    }
  }

  fs::path folder_;
  Json meta_;
  std::string device_;
  std::unique_ptr<AdaptableEncoder> encoder_;
  NamedTensors inputs_;
  Recorded expected_;
  std::unique_ptr<RecordedSampleGraph> graph_;
  spdlog::logger log_;
  Loader loader_;
  LoaderContext context_;
  std::shared_ptr<Peft> method_;
  Parameters parameters_;
};

Error no_case(const fs::path& file, const std::string& found) {
  return Error({.what = "the folder is no case of a PEFT method",
                .where = file.string(),
                .expected = "files as docs/parity.md describes them",
                .found = found,
                .fix = "tools/parity/make_peft_case.py makes such a case"});
}

}  // namespace

bool is_peft_case(const fs::path& folder) {
  return fs::exists(folder / "meta.json") &&
         (has_adapter(folder) || fs::exists(folder / "parameters.safetensors") ||
          has_adapter(folder / "a"));
}

std::vector<TensorDifference> peft_parity(const fs::path& folder, const Catalog& catalog,
                                          const std::string& device) {
  const fs::path file = folder / "meta.json";
  try {
    const Json meta = parse_json(read_file(file), file.string());
    if (has_adapter(folder / "a")) return combination_parity(folder, meta, catalog, device);
    NamedTensors expected = read_named_tensors(folder / "expected.safetensors");
    if (is_feature_case(expected))
      return feature_parity(folder, meta, std::move(expected), catalog);
    return AdapterCase(folder, meta, std::move(expected), catalog, device).run();
  } catch (const Json::exception& error) {
    throw no_case(file, error.what());
  }
}

}  // namespace espalier::conformance
