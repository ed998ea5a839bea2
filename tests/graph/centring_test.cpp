#include <espalier/graph/centring.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "graph/random_rows.hpp"

namespace espalier {
namespace {

TEST(Centring, TakesTheMeanOfEachModality) {
  const at::Tensor images = random_rows(7, 3, Random(1)) + 2,
                   texts = random_rows(7, 3, Random(2)) - 5;
  const at::Tensor x = at::cat({images, texts});
  const at::Tensor got = Centring(x, 2, -1)(x);
  const at::Tensor expected = at::cat({images - images.mean(0), texts - texts.mean(0)});
  // One rounding of a mean of numbers up to 8.
  EXPECT_LT((got - expected).abs().max().item<float>(), 2e-6F);
}

TEST(Centring, LooksAtTheFirstSamplesAlone) {
  const at::Tensor x = random_rows(12, 4, Random(3));
  at::Tensor other = x.clone();
  other.slice(0, 4, 6) += 100;    // of the images those after the fourth
  other.slice(0, 10, 12) += 100;  // of the texts too
  const at::Tensor queries = random_rows(6, 4, Random(4));
  EXPECT_TRUE(at::equal(Centring(x, 2, 4)(queries), Centring(other, 2, 4)(queries)));
  EXPECT_FALSE(at::equal(Centring(x, 2, 5)(queries), Centring(other, 2, 5)(queries)));
}

TEST(Centring, OfNothingTakesNothing) {
  const at::Tensor x = random_rows(4, 4, Random(5));
  EXPECT_TRUE(at::equal(Centring()(x), x));
  EXPECT_TRUE(at::equal(Centring(x.slice(0, 0, 0), 1, -1)(x), x));
  EXPECT_EQ(Centring(x, 2, -1)(x.slice(0, 0, 0)).size(0), 0);
}

}  // namespace
}  // namespace espalier
