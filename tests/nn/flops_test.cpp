#include <espalier/nn/flops.hpp>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

namespace espalier {
namespace {

template <class Run>
std::int64_t flops_of(const Run& run) {
  const FlopCounter counter;
  run();
  return counter.count();
}

TEST(FlopCounter, CountsProductsOnceAndNothingElse) {
  const at::Tensor a = at::ones({3, 5}), b = at::ones({5, 7}), bias = at::ones({7});
  EXPECT_EQ(flops_of([&] { (void)at::matmul(a, b); }), 2 * 3 * 5 * 7);
  EXPECT_EQ(flops_of([&] { (void)at::addmm(bias, a, b); }), 2 * 3 * 5 * 7);
  EXPECT_EQ(flops_of([&] { (void)at::matmul(a, at::ones({5})); }), 2 * 3 * 5);
  EXPECT_EQ(flops_of([&] {
              (void)at::bmm(at::ones({2, 3, 5}), at::ones({2, 5, 7}));
            }),
            2 * 2 * 3 * 5 * 7);
  EXPECT_EQ(flops_of([&] {
              (void)at::linear(at::ones({2, 3, 5}), b.t().contiguous(), bias);
            }),
            2 * 2 * 3 * 5 * 7);
  EXPECT_EQ(flops_of([&] { (void)(a * 2 + 1).sum(); }), 0);
}

// A patch embedding: 2 x 2 places of 6 x 3 x 4 x 4 products, for 2 pictures.
TEST(FlopCounter, CountsConvolutions) {
  const at::Tensor pictures = at::ones({2, 3, 8, 8}), weight = at::ones({6, 3, 4, 4});
  const std::int64_t stride[] = {4, 4};
  EXPECT_EQ(flops_of([&] { (void)at::conv2d(pictures, weight, {}, stride); }),
            2 * 2 * 4 * (6 * 3 * 4 * 4));
}

// The gradient of a product are two products where both factors want one.
TEST(FlopCounter, CountsTheWayBack) {
  const at::Tensor x = at::ones({3, 5}), w = at::ones({7, 5}).requires_grad_();
  const std::int64_t once = 2 * 3 * 5 * 7;
  const at::Tensor y = at::linear(x, w);
  EXPECT_EQ(flops_of([&] { y.sum().backward(); }), once);
  const at::Tensor both = at::linear(at::ones({3, 5}).requires_grad_(), w);
  EXPECT_EQ(flops_of([&] { both.sum().backward(); }), 2 * once);
}

TEST(FlopCounter, SeveralCountAtOnceInAllThreads) {
  const at::Tensor a = at::ones({4, 4});
  const FlopCounter outer;
  EXPECT_EQ(flops_of([&] {
              at::parallel_for(0, 8, 1, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) (void)at::matmul(a, a);
              });
            }),
            8 * 2 * 64);
  (void)at::matmul(a, a);
  EXPECT_EQ(outer.count(), 9 * 2 * 64);
}

}  // namespace
}  // namespace espalier
