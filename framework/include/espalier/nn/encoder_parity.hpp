// A model folder with recorded inputs and outputs, held against what Espalier computes from it.
#pragma once

#include <espalier/nn/named_tensors.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier {

// One expected tensor. `relative` is the largest difference over the largest expected magnitude.
struct TensorDifference {
  std::string name;
  double absolute = 0.0;
  double relative = 0.0;
  double tolerance = 0.0;  // on `relative`
  std::string failure;     // why there is no difference to give: missing, another shape, NaN

  [[nodiscard]] bool ok() const { return failure.empty() && relative <= tolerance; }
};

// `actual` may be undefined: missing.
[[nodiscard]] TensorDifference compare_tensors(const std::string& name, const at::Tensor& expected,
                                               const at::Tensor& actual, double tolerance);

struct ParityTolerance {
  double value = 1e-5;
  double gradient = 1e-4;
};

// `folder` is a model folder with expected.safetensors in it, whose tensors have the names of
// named_tensors.hpp, `loss`, and `grad.<weight>` for the gradient of that loss. What
// features_of_tensors() gives is held to the same, behind `to_feature.`. In float32, on
// `device` as device_of() has it. Throws Error where the folder cannot be loaded or expects nothing.
[[nodiscard]] std::vector<TensorDifference> encoder_parity(const std::filesystem::path& folder,
                                                           const std::string& device = "cpu",
                                                           const ParityTolerance& tolerance = {});

}  // namespace espalier
