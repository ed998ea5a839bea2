// The paths that torch.optim's optimisers take on a quadratic.
#pragma once

#include <espalier/nn/optimizer.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "graph/golden.hpp"

namespace espalier::testing_support {

inline at::Tensor vector(const Json& json, at::ScalarType type) {
  return at::tensor(json.get<std::vector<double>>(), at::kDouble).to(type);
}

using MakeOptimizer =
    std::function<std::unique_ptr<Optimizer>(Parameters& parameters, const Json& settings)>;

inline void expect_torch_path(const char* name, at::ScalarType type, double tolerance,
                              const MakeOptimizer& make) {
  const Json reference = golden::json("metrics/schedules.json").at("trajectories");
  const Json& run = reference.at("optimisers").at(name);
  Parameters parameters;
  const at::Tensor x = parameters.add("x", vector(reference.at("start"), type));
  const std::unique_ptr<Optimizer> optimizer = make(parameters, run.at("settings"));
  const at::Tensor curvature = vector(reference.at("curvature"), type);
  const at::Tensor slope = vector(reference.at("slope"), type);
  for (const Json& expected : run.at("path")) {
    (curvature * x * x / 2 - slope * x).sum().backward();
    optimizer->step(run.at("settings").at("lr"));
    EXPECT_LT((x.detach() - vector(expected, type)).abs().max().item<double>(), tolerance);
  }
}

}  // namespace espalier::testing_support
