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

// A loss in which every row matters to every other, of tanh(x w) in a map inside of its tape.
struct Mapped {
  explicit Mapped(std::int64_t chunk, bool with_input = true) {
    at::Tensor x = rows.x.clone().set_requires_grad(with_input);
    const at::Tensor y =
        replayed_map(x * 2, chunk, [this](std::int64_t begin, const at::Tensor& some) {
          begins.push_back(begin);
          return at::tanh(some.matmul(rows.w));
        });
    (y.sum(0) * y.sum(0) * y).sum().backward();
    gradients = {rows.w.grad()};
    if (with_input) gradients.push_back(x.grad());
  }
  Rows rows;
  std::vector<std::int64_t> begins;
  std::vector<at::Tensor> gradients;
};

TEST(ReplayedMap, GivesTheGradientsOfOneTapeHoweverRowsAreCut) {
  const Mapped whole(6);
  for (const std::int64_t chunk : {1, 2, 4, 5}) {
    const Mapped some(chunk);
    for (std::size_t i = 0; i < whole.gradients.size(); ++i) {
      EXPECT_TRUE(some.gradients[i].allclose(whole.gradients[i], 1e-12, 1e-14)) << chunk;
    }
  }
  EXPECT_TRUE(Mapped(2, false).gradients[0].allclose(whole.gradients[0], 1e-12, 1e-14))
      << "where nothing is asked of the input";
}

TEST(ReplayedMap, ComputesAgainWhatItNeedsATapeOf) {
  EXPECT_EQ(Mapped(6).begins, (std::vector<std::int64_t>{0}));
  EXPECT_EQ(Mapped(4).begins, (std::vector<std::int64_t>{0, 4, 0, 4}));
}

TEST(ReplayedMap, LeavesNoTapeWhereGradientsAreOff) {
  const Rows rows;
  const c10::AutoGradMode no_grad(false);
  const auto map = [&](std::int64_t, const at::Tensor& some) { return some.matmul(rows.w); };
  const at::Tensor y = replayed_map(rows.x, 4, map);
  EXPECT_FALSE(y.requires_grad());
  EXPECT_TRUE(y.allclose(rows.x.matmul(rows.w)));
}

}  // namespace
}  // namespace espalier
