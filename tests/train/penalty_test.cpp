#include "train/penalty.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "graph/golden.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier {
namespace {

using testing_support::error_of;

const std::vector<std::string> names = {"0.weight", "0.bias", "2.weight", "2.bias"};

std::vector<Parameters::Entry> entries(const golden::Case& reference, const std::string& prefix) {
  std::vector<Parameters::Entry> list;
  for (const std::string& name : names) list.emplace_back(name, reference[prefix + "." + name]);
  return list;
}

// PyTorch 2.11's autograd in float32, two layers, 30 samples: rounding is below 1e-6.
TEST(ElasticPenalty, AndItsGradientsAreTheReferences) {
  const golden::Case reference("gnn/ewc");
  const ElasticPenalty penalty(reference.meta.at("lambda"), entries(reference, "anchor"),
                               entries(reference, "fisher_empirical"));
  Parameters parameters;
  for (const auto& [name, value] : entries(reference, "param")) parameters.add(name, value);
  const at::Tensor alone = penalty(parameters);
  EXPECT_LT(golden::error(alone.detach(), reference["penalty"]), 1e-5);
  const auto p = parameters.tensors();
  const at::Tensor logits =
      at::linear(at::relu(at::linear(reference["x"], p[0], p[1])), p[2], p[3]);
  (at::cross_entropy_loss(logits, reference["y"]) + alone).backward();
  for (const auto& [name, tensor] : parameters.entries()) {
    EXPECT_LT(golden::error(tensor.grad(), reference["grad_total." + name]), 1e-5) << name;
  }
}

TEST(ElasticPenalty, LeavesParametersFreeThatItDoesNotName) {
  Parameters parameters;
  parameters.add("old", at::zeros({2}));
  const at::Tensor fresh = parameters.add("fresh", at::zeros({2}));
  const ElasticPenalty penalty(2, {{"old", at::zeros({2}) + 3}}, {{"old", at::zeros({2}) + 1}});
  const at::Tensor value = penalty(parameters);
  EXPECT_EQ(value.item<double>(), 18);
  value.backward();
  EXPECT_FALSE(fresh.grad().defined());
}

TEST(ElasticPenalty, RefusesWhatDoesNotFit) {
  const std::vector<Parameters::Entry> anchor{{"w", at::zeros({2})}};
  EXPECT_THAT(error_of([&] {
                ElasticPenalty(1, anchor, {{"w", at::zeros({3})}});
              }),
              testing::HasSubstr("[3]"));
  EXPECT_THAT(error_of([&] { ElasticPenalty(1, anchor, {}); }), testing::HasSubstr("no such name"));
  Parameters parameters;
  parameters.add("v", at::zeros({2}));
  EXPECT_THAT(error_of([&] { (void)ElasticPenalty(1, anchor, anchor)(parameters); }),
              testing::HasSubstr("the model"));
}

}  // namespace
}  // namespace espalier
