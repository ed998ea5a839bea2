#include "train/consolidation.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <espalier/nn/safetensors_tensor.hpp>
#include <filesystem>

namespace espalier {
namespace {

Anchor anchor(const std::string& source, double theta, double fisher) {
  return {source,
          {{"w", at::full({2}, theta, at::kFloat)}},
          {{"w", at::full({2}, fisher, at::kFloat)}}};
}

// By hand: 4/2 * (2 * 3 * (5-1)^2 + 2 * 0.5 * (5-3)^2) = 2 * (96 + 4).
TEST(Consolidation, SumsOverSourceTasks) {
  Consolidation held(4);
  held.add(anchor("task_1", 1, 3));
  held.add(anchor("task_2", 3, 0.5));
  Parameters parameters;
  const at::Tensor w = parameters.add("w", at::full({2}, 5.0, at::kFloat));
  const at::Tensor value = held(parameters);
  EXPECT_EQ(value.item<double>(), 200);
  value.backward();
  EXPECT_EQ(w.grad()[0].item<double>(), 4 * (3 * 4 + 0.5 * 2));
}

TEST(Consolidation, WithoutSourcesIsNothing) {
  Parameters parameters;
  parameters.add("w", at::zeros({2}));
  EXPECT_EQ(Consolidation(4)(parameters).item<double>(), 0);
}

TEST(Consolidation, IsKeptBesideTheAdapter) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "consolidation";
  std::filesystem::remove_all(folder);
  Consolidation held(4);
  held.save(folder, {});
  EXPECT_FALSE(std::filesystem::exists(folder));
  held.add(anchor("zero_shot", 1, 3));
  held.save(folder, {{"espalier.trial_id", "t"}});
  const SafeTensors file = SafeTensors::open(folder / "ewc.safetensors");
  EXPECT_EQ(to_tensor(file, "zero_shot.anchor.w")[0].item<double>(), 1);
  EXPECT_EQ(to_tensor(file, "zero_shot.fisher.w")[1].item<double>(), 3);
  EXPECT_EQ(file.metadata().at("espalier.ewc"), "4.0");
  EXPECT_EQ(file.metadata().at("espalier.trial_id"), "t");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace espalier
