#include <espalier/nn/replay.hpp>

#include <gmock/gmock.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tanh.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <vector>

namespace espalier {
namespace {

using Compare = ReplayedRows::Compare;

// Rows tanh(x w) of a trained w, and how often and how many of them were computed.
struct Rows {
  at::Tensor x = at::arange(12, at::kDouble).view({6, 2}) / 10;
  at::Tensor w = at::ones({2, 3}, at::kDouble).set_requires_grad(true);
  std::vector<std::int64_t> computed;

  [[nodiscard]] ReplayedRows::Compute compute() {
    return [this](std::int64_t begin, std::int64_t end) {
      computed.push_back(end - begin);
      return at::tanh(x.slice(0, begin, end).matmul(w));
    };
  }
  // Of a loss that makes every row matter to every other.
  at::Tensor gradient(std::int64_t chunk) {
    ReplayedRows rows(6, chunk, compute(), Compare::yes);
    (rows.values().sum(0) * rows.values().sum(0) * rows.values()).sum().backward();
    rows.replay();
    const at::Tensor gradient = w.grad().clone();
    w.mutable_grad().reset();
    return gradient;
  }
};

TEST(ReplayedRows, GivesTheGradientsOfOneTapeHoweverRowsAreCut) {
  Rows rows;
  const at::Tensor whole = rows.gradient(6);
  for (const std::int64_t chunk : {1, 2, 4, 5, 100}) {
    const double off = (rows.gradient(chunk) - whole).abs().max().item<double>();
    EXPECT_LT(off, 1e-12 * whole.abs().max().item<double>()) << chunk;
  }
}

TEST(ReplayedRows, ComputesNothingTwiceInOneChunk) {
  Rows rows;
  (void)rows.gradient(6);
  EXPECT_EQ(rows.computed, (std::vector<std::int64_t>{6}));
  rows.computed.clear();
  (void)rows.gradient(4);
  EXPECT_EQ(rows.computed, (std::vector<std::int64_t>{4, 2, 4, 2}));
}

TEST(ReplayedRows, KeepsNoTapeWhereGradientsAreOff) {
  Rows rows;
  const c10::AutoGradMode no_grad(false);
  ReplayedRows off(6, 4, rows.compute(), Compare::yes);
  EXPECT_FALSE(off.values().requires_grad());
  off.replay();
  EXPECT_EQ(rows.computed.size(), 2u);
}

TEST(ReplayedRows, NoticesOtherNumbersInTheReplay) {
  Rows rows;
  double factor = 1;
  const auto drifting = [&](std::int64_t begin, std::int64_t end) {
    factor += 0.01;
    return rows.compute()(begin, end) * factor;
  };
  const auto replay = [&](Compare compare) {
    ReplayedRows drift(6, 4, drifting, compare);
    drift.values().sum().backward();
    drift.replay();
  };
  EXPECT_NO_THROW(replay(Compare::no));
  try {
    replay(Compare::yes);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("replayed pass"));
  }
}

TEST(ReplayedRows, LeavesAloneWhatTheLossDoesNotLookAt) {
  Rows rows;
  ReplayedRows unused(6, 4, rows.compute(), Compare::yes);
  unused.replay();
  EXPECT_FALSE(rows.w.grad().defined());
  EXPECT_EQ(ReplayedRows(0, 3, rows.compute(), Compare::yes).values().size(0), 0);
}

}  // namespace
}  // namespace espalier
