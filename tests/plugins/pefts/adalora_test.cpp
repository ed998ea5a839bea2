#include "pefts/adalora/rank_allocator.hpp"

#include <espalier/peft/published.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <espalier/core/error.hpp>

#include "plugins/pefts/attached.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::Attached;
using testing_support::error_of;

at::Tensor cyclic(std::int64_t count, std::int64_t factor, std::int64_t shift, std::int64_t period,
                  std::int64_t middle) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>((i * factor + shift) % period - middle) / 10.0F);
  }
  return at::tensor(values);
}

// Two maps of 3 inputs, 2 outputs and 3 ranks.
class Allocated {
 public:
  explicit Allocated(const RankSchedule& schedule) : allocator(schedule, 0.85, 0.85) {
    for (std::int64_t k = 0; k < 2; ++k) {
      const auto add = [&](const char* name, std::int64_t count, std::int64_t salt) {
        return parameters.add(std::to_string(k) + name, cyclic(count, 7, salt * 3, 11, 5));
      };
      Triplets map{.site = std::to_string(k), .a = {}, .e = {}, .b = {}};
      map.a = add("a", 9, 1 + k).detach().view({3, 3}).set_requires_grad(true);
      map.e = (add("e", 3, 4 + k).detach().view({3, 1}) + 0.05).set_requires_grad(true);
      map.b = add("b", 6, 7 + k).detach().view({2, 3}).set_requires_grad(true);
      maps.push_back(map);
      allocator.add(map);
    }
  }

  void step(std::int64_t step, std::int64_t steps) {
    for (std::int64_t k = 0; k < 2; ++k) {
      const Triplets& map = maps[static_cast<std::size_t>(k)];
      std::int64_t which = 0;
      for (const at::Tensor& tensor : {map.a, map.e, map.b}) {
        const std::int64_t shift = step * 3 + which++ * 2 + k;
        tensor.mutable_grad() = cyclic(tensor.numel(), 5, shift, 7, 3).view_as(tensor);
      }
    }
    allocator.updated(step, steps);
  }

  // Ranks of both maps that are not 0.
  [[nodiscard]] std::vector<int> kept() const {
    std::vector<int> all;
    for (const Triplets& map : maps) {
      for (std::int64_t i = 0; i < 3; ++i) all.push_back(map.e[i].item<float>() != 0 ? 1 : 0);
    }
    return all;
  }

  Parameters parameters;
  std::vector<Triplets> maps;
  RankAllocator allocator;
};

// Which ranks Hugging Face PEFT's RankAllocator keeps, given the same numbers.
TEST(AdaLora, TakesTheRanksThatHuggingFaceTakes) {
  Allocated run({.target_r = 1, .tinit = 1, .tfinal = 2, .delta_t = 2, .total_step = 8});
  run.step(1, 100);
  EXPECT_THAT(run.kept(), ElementsAre(1, 1, 1, 1, 1, 1));
  run.step(2, 100);
  EXPECT_THAT(run.kept(), ElementsAre(1, 1, 1, 0, 1, 0));
  run.step(3, 100);
  EXPECT_THAT(run.kept(), ElementsAre(1, 1, 1, 0, 1, 0)) << "every second step";
  for (std::int64_t step = 4; step <= 6; ++step) {
    run.step(step, 100);
    EXPECT_THAT(run.kept(), ElementsAre(1, 0, 0, 0, 1, 0));
  }
  for (std::int64_t step = 7; step <= 8; ++step) {
    const c10::NoGradGuard no_grad;
    for (Triplets& map : run.maps) map.e.add_(0.1);
    run.step(step, 100);
    EXPECT_THAT(run.kept(), ElementsAre(1, 0, 0, 0, 1, 0)) << "none comes back in the end";
  }
}

TEST(AdaLora, ShrinksByTheThirdPowerOfWhatIsLeft) {
  const Allocated run({.target_r = 1, .tinit = 10, .tfinal = 10, .delta_t = 1, .total_step = 0});
  EXPECT_EQ(run.allocator.budget(10, 100), 6);
  EXPECT_EQ(run.allocator.budget(50, 100), 2 + 4 / 8) << "half of the way";
  EXPECT_EQ(run.allocator.budget(11, 100), 5);
  EXPECT_EQ(run.allocator.budget(90, 100), 2);
  EXPECT_EQ(run.allocator.budget(100, 100), 2);
}

TEST(AdaLora, SaysWhereNoStepIsLeft) {
  Allocated run({.target_r = 1, .tinit = 3, .tfinal = 4, .delta_t = 1, .total_step = 0});
  EXPECT_THAT(error_of([&] { run.step(1, 7); }),
              HasSubstr("peft.tinit and peft.tfinal leave no step"));
  EXPECT_EQ(error_of([&] { run.step(1, 8); }), "");
}

TEST(AdaLora, PenalisesFactorsThatAreNotOrthogonal) {
  const Attached run("clip-tiny-gelu", "adalora",
                     {{"init_r", 4}, {"target_r", 2}, {"orth_reg_weight", 2.0}});
  double sum = 0;
  std::int64_t factors = 0;
  for (const auto& [name, tensor] : run.parameters.entries()) {
    if (name.ends_with("lora_E")) continue;
    const at::Tensor rows = name.ends_with("lora_A") ? tensor : tensor.t();
    sum += (at::matmul(rows, rows.t()) - at::eye(4)).norm().item<double>();
    ++factors;
  }
  EXPECT_NEAR(run.method->penalty().item<double>(), 2 * sum / static_cast<double>(factors), 1e-5);
  const Attached free("clip-tiny-gelu", "adalora",
                      {{"init_r", 4}, {"target_r", 2}, {"orth_reg_weight", 0}});
  EXPECT_FALSE(free.method->penalty().defined());
}

// Hugging Face stores the ranks that are left, and which they were.
TEST(AdaLora, ReadsAdaptersWhoseRanksWereTaken) {
  const std::string q = "text_model.encoder.layers.0.self_attn.q_proj";
  const Json config = {
      {"peft_type", "ADALORA"},
      {"init_r", 3},
      {"target_r", 2},
      {"total_step", 10},
      {"r", 8},
      {"target_modules", {"q_proj"}},
      {"rank_pattern",
       {{q + ".lora_E", {true, false, true}},
        {"text_model.encoder.layers.1.self_attn.q_proj.lora_E", {false, false, false}}}}};
  const PublishedMethod method = published_method(config, "test");
  EXPECT_THAT(method.warnings, testing::IsEmpty());
  const Attached run("clip-tiny-gelu", "adalora", method.component.params);
  for (const auto& [name, tensor] : run.parameters.entries()) {
    if (!name.ends_with(".lora_A")) continue;
    const std::int64_t expected = name == q + ".lora_A"                              ? 2
                                  : name.starts_with("text_model.encoder.layers.1.") ? 0
                                                                                     : 3;
    EXPECT_EQ(tensor.size(0), expected) << name;
  }
}

}  // namespace
}  // namespace espalier
