#include "nn/lone_rows_internal.hpp"

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>

#include <algorithm>

#include "libtorch_threads.hpp"

namespace espalier {
namespace {

struct LoneCase {
  at::Tensor x, weight, bias;
  LoneCase(std::int64_t n, std::int64_t in, std::int64_t out, at::ScalarType type = at::kFloat)
      : x(at::randn({n, in}).to(type)),
        weight(at::randn({out, in}).to(type)),
        bias(at::randn({out}).to(type)) {}
  [[nodiscard]] at::Tensor of(const at::Tensor& rows) const {
    return lone_rows_linear(rows, weight, bias);
  }
};

TEST(LoneRows, AreTheProductAndTheBias) {
  for (const std::int64_t n : {1, 2, 3, 4, 5, 8, 11}) {
    for (const std::int64_t in : {1, 4, 7, 64, 770}) {
      for (const std::int64_t out : {1, 2, 5, 16, 37}) {
        const LoneCase c(n, in, out);
        const at::Tensor expected =
            at::linear(c.x.to(at::kDouble), c.weight.to(at::kDouble), c.bias.to(at::kDouble));
        // Each of 770 terms near 1 is rounded by 6e-8; sums of a few hundred stay below 100.
        EXPECT_LT((c.of(c.x) - expected).abs().max().item<double>(), 2e-4) << n << " " << in;
      }
    }
  }
}

TEST(LoneRows, HaveTheSameBitsWhateverIsBesideThem) {
  const int threads = at::get_num_threads();
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t in : {64, 770, 3072}) {
      const LoneCase c(13, in, 61, type);
      const at::Tensor all = c.of(c.x), order = at::randperm(13);
      for (const int count : {1, 2}) {
        testing_support::set_threads(count);
        EXPECT_TRUE(at::equal(c.of(c.x), all));
        EXPECT_TRUE(at::equal(c.of(c.x.index_select(0, order)), all.index_select(0, order)));
        for (std::int64_t from = 0; from < 13; ++from) {
          const std::int64_t some = std::min<std::int64_t>(1 + from % 6, 13 - from);
          EXPECT_TRUE(at::equal(c.of(c.x.narrow(0, from, some)), all.narrow(0, from, some)));
        }
      }
    }
  }
  testing_support::set_threads(threads);
}

TEST(LoneRows, MixOtherRowsTheSameWhateverIsBesideThem) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t out : {1, 16, 50}) {
      const at::Tensor x = at::randn({9, 64}).to(type), w = at::randn({64, out}).to(type);
      at::Tensor all = at::empty({9, out}, x.options());
      lone_rows_mix_out(all, x, w);
      // Sums of 64 terms near 1; some LibTorch also adds in bfloat16, to 0.06 of 16 and 64 times.
      const double tolerance = type == at::kFloat ? 1e-4 : 2;
      const at::Tensor expected = at::mm(x.to(at::kDouble), w.to(at::kDouble));
      EXPECT_LT((all - expected).abs().max().item<double>(), tolerance);
      for (std::int64_t row = 0; row < 9; ++row) {
        at::Tensor alone = at::empty({1, out}, x.options());
        lone_rows_mix_out(alone, x.narrow(0, row, 1), w);
        EXPECT_TRUE(at::equal(alone[0], all[row]));
      }
    }
  }
}

TEST(LoneRows, MayBeNone) {
  const LoneCase c(1, 8, 3);
  EXPECT_EQ(c.of(c.x.narrow(0, 0, 0)).sizes(), (at::IntArrayRef{0, 3}));
}

TEST(LoneRows, MayLieApartOnBothSides) {
  const LoneCase c(6, 48, 32);
  const at::Tensor wide = at::randn({6, 3, 48}), into = at::randn({6, 80});
  wide.select(1, 1).copy_(c.x);
  const at::Tensor before = into.clone();
  lone_rows_linear_out(into.narrow(1, 32, 32), wide.select(1, 1), c.weight, c.bias);
  EXPECT_TRUE(at::equal(into.narrow(1, 32, 32), c.of(c.x)));
  EXPECT_TRUE(at::equal(into.narrow(1, 0, 32), before.narrow(1, 0, 32)));
  EXPECT_TRUE(at::equal(into.narrow(1, 64, 16), before.narrow(1, 64, 16)));
}

}  // namespace
}  // namespace espalier
