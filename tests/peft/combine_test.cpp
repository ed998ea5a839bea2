#include <espalier/peft/combine.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <espalier/core/random.hpp>

#include "support.hpp"

namespace espalier {
namespace {

using peft_test::refusal;
using testing::HasSubstr;

Adapter lora(std::int64_t rank, double alpha, std::int64_t seed) {
  Random random(seed, "adapter");
  Adapter adapter{.config = adapter_config_of("LORA", {"m"}),
                  .tensors = {{"m.lora_A.weight", normal_init({rank, 5}, 1, random)},
                              {"m.lora_B.weight", normal_init({6, rank}, 1, random)}}};
  adapter.config["r"] = rank;
  adapter.config["lora_alpha"] = number(alpha);
  return adapter;
}

at::Tensor update(const Adapter& adapter) {
  const at::Tensor product = at::matmul(adapter.tensors[1].second, adapter.tensors[0].second);
  return product * (adapter.config.at("lora_alpha").get<double>() /
                    adapter.config.at("r").get<double>());
}

double off(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Combine, CatIsTheWeightedSumExactly) {
  const Adapter a = lora(2, 4, 1), b = lora(1, 3, 2);
  const Adapter both = combine({a, b}, {0.7, -0.4}, Combination::cat);
  EXPECT_EQ(both.config.at("r"), 3);
  EXPECT_LT(off(update(both), update(a) * 0.7 - update(b) * 0.4), 1e-5);
}

TEST(Combine, SvdApproximatesItAtTheLargestRank) {
  const Adapter a = lora(2, 2, 1), b = lora(1, 1, 2);
  const at::Tensor sum = update(a) + update(b);
  const Adapter both = combine({a, b}, {1, 1}, Combination::svd);
  EXPECT_EQ(both.config.at("r"), 2);
  const double best = (update(both) - sum).norm().item<double>();
  EXPECT_GT(best, 0.01);
  EXPECT_LT(best, (update(a) - sum).norm().item<double>());
}

TEST(Combine, LinearAddsFactorByFactor) {
  const Adapter a = lora(2, 2, 1), b = lora(2, 2, 2);
  const Adapter both = combine({a, b}, {0.25, -1}, Combination::linear);
  EXPECT_LT(off(both.tensors[0].second, a.tensors[0].second * 0.5 - b.tensors[0].second), 1e-6);
  EXPECT_LT(off(both.tensors[1].second, a.tensors[1].second * 0.5 + b.tensors[1].second), 1e-6);
}

TEST(Combine, RefusesWhatCannotBeAdded) {
  const Adapter a = lora(2, 2, 1);
  Adapter other = lora(2, 2, 2);
  other.config["peft_type"] = "VERA";
  EXPECT_THAT(refusal([&] { (void)combine({a, other}, {1, 1}, Combination::cat); }),
              HasSubstr("VERA"));
  EXPECT_THAT(refusal([&] { (void)combine({a, lora(1, 1, 2)}, {1, 1}, Combination::linear); }),
              HasSubstr("equal ranks"));
  Adapter dora = lora(2, 2, 3);
  dora.tensors.emplace_back("m.lora_magnitude_vector", at::ones({6}));
  EXPECT_THAT(refusal([&] { (void)combine({a, dora}, {1, 1}, Combination::cat); }),
              HasSubstr("more than products"));
  Adapter elsewhere = lora(2, 2, 3);
  elsewhere.tensors[0].first = "n.lora_A.weight";
  elsewhere.tensors[1].first = "n.lora_B.weight";
  EXPECT_THAT(refusal([&] { (void)combine({a, elsewhere}, {1, 1}, Combination::cat); }),
              HasSubstr("other modules"));
}

}  // namespace
}  // namespace espalier
