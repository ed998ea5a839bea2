#include <espalier/nn/encoder_parity.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/pretrained.hpp>

namespace espalier {
namespace {

constexpr std::string_view gradient_prefix = "grad.";

const std::vector<std::string> input_names = {"pixel_values", "input_ids", "attention_mask",
                                              "token_type_ids", "interpolated.pixel_values"};

bool is_input(const std::string& name) {
  return std::find(input_names.begin(), input_names.end(), name) != input_names.end();
}

bool is_gradient(const std::string& name) { return name.starts_with(gradient_prefix); }

// The loss and the gradients that are expected, by weight name.
void add_gradients(AdaptableEncoder& encoder, const NamedTensors& expected, NamedTensors& actual) {
  std::vector<std::pair<std::string, at::Tensor>> leaves;
  for (const WeightSlot& weight : encoder.weights()) {
    const std::string name = std::string(gradient_prefix) + weight.name;
    if (!expected.contains(name)) continue;
    *weight.slot = weight.frozen.detach().set_requires_grad(true);
    leaves.emplace_back(name, *weight.slot);
  }
  const c10::AutoGradMode with_gradients(true);
  const NamedTensors outputs = run_on_tensors(encoder, expected, /*hidden_states=*/false);
  if (const auto logits = outputs.find("logits_per_image"); logits != outputs.end()) {
    const at::Tensor loss = contrastive_loss(encoder, logits->second);
    if (loss.requires_grad()) loss.backward();
    actual["loss"] = loss.detach();
  }
  for (const auto& [name, leaf] : leaves) actual[name] = leaf.grad();
  encoder.reset();
}

NamedTensors compute(AdaptableEncoder& encoder, const NamedTensors& expected) {
  NamedTensors actual;
  {
    const c10::AutoGradMode without_gradients(false);
    actual = run_on_tensors(encoder, expected, /*hidden_states=*/true);
  }
  const bool differentiated = std::any_of(expected.begin(), expected.end(), [](const auto& item) {
    return is_gradient(item.first) || item.first == "loss";
  });
  if (differentiated) add_gradients(encoder, expected, actual);
  return actual;
}

}  // namespace

TensorDifference compare_tensors(const std::string& name, const at::Tensor& expected,
                                 const at::Tensor& actual, double tolerance) {
  TensorDifference difference{
      .name = name, .absolute = 0.0, .relative = 0.0, .tolerance = tolerance, .failure = {}};
  if (!actual.defined()) {
    difference.failure = "missing";
  } else if (!actual.sizes().equals(expected.sizes())) {
    difference.failure = "shape " + shape_text(actual.sizes().vec()) + " where " +
                         shape_text(expected.sizes().vec()) + " is expected";
  } else if (!at::isfinite(actual).all().item<bool>() ||
             !at::isfinite(expected).all().item<bool>()) {
    difference.failure = "NaN or infinity";
  } else if (expected.numel() > 0) {
    const at::Tensor wide = expected.to(at::kDouble);
    difference.absolute = (actual.to(at::kCPU, at::kDouble) - wide).abs().max().item<double>();
    const double scale = wide.abs().max().item<double>();
    difference.relative = difference.absolute / std::max(scale, 1e-30);
  }
  return difference;
}

std::vector<TensorDifference> encoder_parity(const std::filesystem::path& folder,
                                             const std::string& device,
                                             const ParityTolerance& tolerance) {
  const auto encoder = load_pretrained(folder, {.families = {}, .device = device});
  const NamedTensors expected = read_named_tensors(folder / "expected.safetensors");
  const NamedTensors actual = compute(*encoder, expected);
  std::vector<TensorDifference> rows;
  for (const auto& [name, value] : expected) {
    if (is_input(name)) continue;
    const auto found = actual.find(name);
    rows.push_back(compare_tensors(name, value,
                                   found == actual.end() ? at::Tensor() : found->second.detach(),
                                   is_gradient(name) ? tolerance.gradient : tolerance.value));
  }
  const c10::AutoGradMode without_gradients(false);
  for (const auto& [name, value] : features_of_tensors(*encoder, expected)) {
    const auto known = expected.find(name);
    if (known == expected.end()) continue;
    rows.push_back(compare_tensors("to_feature." + name, known->second, value, tolerance.value));
  }
  if (rows.empty()) {
    throw Error({.what = "the case expects nothing",
                 .where = (folder / "expected.safetensors").string(),
                 .expected = "inputs and outputs",
                 .found = "inputs alone",
                 .fix = {}});
  }
  return rows;
}

}  // namespace espalier
