#include <espalier/nn/parameters.hpp>

#include <gtest/gtest.h>

#include <ATen/ops/full.h>

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

TEST(Parameters, TrainsACopyOfWhatItIsGiven) {
  Parameters parameters;
  const at::Tensor initial = at::full({2, 3}, 1.5);
  at::Tensor leaf = parameters.add("weight", initial);
  EXPECT_TRUE(leaf.is_leaf() && leaf.requires_grad());
  EXPECT_FALSE(initial.requires_grad());
  leaf.detach().fill_(7);
  EXPECT_EQ(initial.max().item<double>(), 1.5);
  EXPECT_EQ(parameters.entries().front().second.min().item<double>(), 7);
}

TEST(Parameters, MakesAViewAWholeOfItsOwn) {
  Parameters parameters;
  const at::Tensor table = at::full({4, 4}, 1.0);
  const at::Tensor leaf = parameters.add("rows", table.narrow(1, 0, 2).t());
  EXPECT_TRUE(leaf.is_contiguous());
  EXPECT_EQ(parameters.count(), 8);
}

TEST(Parameters, KeepsTheRatesOfEachAndRefusesANameTwice) {
  Parameters parameters;
  const Parameters::Scope scope(parameters, "peft");
  parameters.add("a", at::full({1}, 0.0));
  parameters.add("b", at::full({1}, 0.0), {.lr = 16, .decay = 0});
  EXPECT_EQ(parameters.rates()[0].lr, 1);
  EXPECT_EQ(parameters.rates()[1].lr, 16);
  EXPECT_EQ(parameters.rates()[1].decay, 0);
  EXPECT_EQ(parameters.entries()[1].first, "peft.b");
  EXPECT_EQ(parameters.device(), at::Device(at::kCPU));
  EXPECT_THROW(parameters.add("b", at::full({1}, 0.0)), Error);
}

}  // namespace
}  // namespace espalier
