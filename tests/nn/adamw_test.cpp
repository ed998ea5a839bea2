#include <espalier/nn/adamw.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "nn/torch_path.hpp"

namespace espalier {
namespace {

using testing_support::expect_torch_path;

AdamWOptions options_of(const Json& settings) {
  return {.weight_decay = settings.at("weight_decay"),
          .beta1 = settings.at("betas").at(0),
          .beta2 = settings.at("betas").at(1),
          .eps = settings.at("eps")};
}

template <class Kind>
void expect_path(const char* name, at::ScalarType type, double tolerance) {
  expect_torch_path(name, type, tolerance, [](Parameters& parameters, const Json& settings) {
    return std::make_unique<Kind>(parameters, options_of(settings));
  });
}

// 1e-9 in float64, 1e-5 in float32, as the reference says.
TEST(AdamW, FollowsTorchInDouble) { expect_path<AdamW>("adamw", at::kDouble, 1e-9); }
TEST(AdamW, FollowsTorchInFloat) { expect_path<AdamW>("adamw", at::kFloat, 1e-5); }
TEST(Adam, FollowsTorchInDouble) { expect_path<Adam>("adam_l2", at::kDouble, 1e-9); }
TEST(Adam, FollowsTorchInFloat) { expect_path<Adam>("adam_l2", at::kFloat, 1e-5); }

TEST(AdamW, ClipsByTheNormOfAllGradientsTogether) {
  const Json reference =
      golden::json("metrics/schedules.json").at("trajectories").at("clip_grad_norm");
  Parameters parameters;
  std::vector<at::Tensor> tensors;
  for (const Json& gradient : reference.at("gradients")) {
    const at::Tensor g = testing_support::vector(gradient, at::kDouble);
    tensors.push_back(parameters.add(std::to_string(tensors.size()), g));
    (tensors.back() * g).sum().backward();
  }
  AdamW optimizer(parameters, {});
  EXPECT_NEAR(optimizer.clip(reference.at("max_norm")), reference.at("norm").get<double>(), 1e-9);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const at::Tensor expected = testing_support::vector(reference.at("clipped").at(i), at::kDouble);
    // The reference clips float32 gradients.
    EXPECT_LT((tensors[i].grad() - expected).abs().max().item<double>(), 1e-6);
  }
  EXPECT_LT(optimizer.clip(100), 1 + 1e-6);
}

// As two groups of torch.optim.AdamW with rates of their own: each equals the whole with that rate.
TEST(AdamW, GivesAParameterItsOwnRates) {
  const at::Tensor start = at::tensor({1.0, -2.0, 3.0}, at::kDouble);
  const auto descend = [&](double lr, double decay, ParameterRates rates) {
    Parameters parameters;
    const at::Tensor x = parameters.add("x", start, rates);
    AdamW optimizer(parameters, {.weight_decay = decay});
    for (int step = 0; step < 5; ++step) {
      (x * x * x).sum().backward();
      optimizer.step(lr);
    }
    return x.detach();
  };
  EXPECT_TRUE(descend(0.01, 0.25, {.lr = 4, .decay = 0}).equal(descend(0.04, 0, {})));
  EXPECT_TRUE(descend(0.01, 0.5, {.lr = 1, .decay = 0.5}).equal(descend(0.01, 0.25, {})));
}

TEST(AdamW, AParameterWithoutGradientStays) {
  Parameters parameters;
  const at::Tensor used = parameters.add("used", at::tensor({1.0}, at::kDouble));
  const at::Tensor idle = parameters.add("idle", at::tensor({1.0}, at::kDouble));
  AdamW optimizer(parameters, {});
  (used * 2).sum().backward();
  optimizer.step(0.1);
  EXPECT_EQ(idle.item<double>(), 1.0);
  EXPECT_LT(used.item<double>(), 1.0);
  EXPECT_FALSE(used.grad().defined());
}

TEST(AdamW, CallsBackBetweenTheUpdateAndTheEndOfTheGradients) {
  Parameters parameters;
  const at::Tensor x = parameters.add("x", at::tensor({1.0}, at::kDouble));
  AdamW optimizer(parameters, {});
  (x * 2).sum().backward();
  double seen = 0;
  optimizer.step(0.1, [&] {
    seen = x.grad().item<double>();
    EXPECT_LT(x.item<double>(), 1.0);
    EXPECT_EQ(optimizer.steps(), 1);
  });
  EXPECT_EQ(seen, 2.0);
  EXPECT_FALSE(x.grad().defined());
}

// As torch counts: by parameter, from the first gradient on.
TEST(AdamW, AParameterAddedLaterBeginsAsAtTheStart) {
  Parameters early;
  AdamW fresh(early, {});
  const at::Tensor a = early.add("a", at::tensor({1.0}, at::kDouble));
  (a * a).sum().backward();
  fresh.step(0.1);

  Parameters late;
  const at::Tensor other = late.add("other", at::tensor({5.0}, at::kDouble));
  AdamW old(late, {});
  at::Tensor b;
  for (int step = 0; step < 4; ++step) {
    if (step == 3) b = late.add("b", at::tensor({1.0}, at::kDouble));
    at::Tensor loss = (other * other).sum();
    if (step == 3) loss = loss + (b * b).sum();
    loss.backward();
    old.step(0.1);
  }
  EXPECT_TRUE(a.equal(b));
  EXPECT_EQ(old.steps(), 4);
}

TEST(AdamW, GoesOnFromItsSnapshotWithTheSameBits) {
  const auto run = [](bool interrupted) {
    Parameters parameters;
    const at::Tensor x = parameters.add("x", at::tensor({1.0, -2.0, 3.0}, at::kFloat));
    AdamW first(parameters, {});
    AdamW second(parameters, {});
    for (int step = 0; step < 10; ++step) {
      if (interrupted && step == 5) second.restore(first.snapshot(), first.steps());
      (x * x * x).sum().backward();
      (interrupted && step >= 5 ? second : first).step(0.05);
    }
    return x.detach().clone();
  };
  EXPECT_TRUE(run(false).equal(run(true)));
}

}  // namespace
}  // namespace espalier
