#include <espalier/nn/sgd.hpp>

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "nn/torch_path.hpp"

namespace espalier {
namespace {

void expect_momentum_path(at::ScalarType type, double tolerance) {
  testing_support::expect_torch_path(
      "sgd_momentum", type, tolerance, [](Parameters& parameters, const Json& settings) {
        return std::make_unique<Sgd>(parameters,
                                     SgdOptions{.weight_decay = settings.at("weight_decay"),
                                                .momentum = settings.at("momentum")});
      });
}

// 1e-9 in float64, 1e-5 in float32, as the reference says.
TEST(Sgd, FollowsTorchInDouble) { expect_momentum_path(at::kDouble, 1e-9); }
TEST(Sgd, FollowsTorchInFloat) { expect_momentum_path(at::kFloat, 1e-5); }

TEST(Sgd, GoesOnFromASnapshotAndKeepsOneMoment) {
  Parameters parameters;
  const at::Tensor x = parameters.add("x", at::ones({3}, at::kDouble));
  Sgd first(parameters, {});
  EXPECT_EQ(first.bytes(), 3 * 8);
  const auto step = [&](Optimizer& optimizer) {
    (x * x).sum().backward();
    optimizer.step(0.1);
  };
  step(first);
  const auto moments = first.snapshot();
  const auto values = parameters.snapshot();
  step(first);
  const at::Tensor expected = x.detach().clone();
  parameters.restore(values);
  Sgd second(parameters, {});
  second.restore(moments, 1);
  step(second);
  EXPECT_TRUE(x.detach().equal(expected));
  EXPECT_EQ(second.steps(), 2);
}

}  // namespace
}  // namespace espalier
