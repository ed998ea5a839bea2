#include "run/trial_queue.hpp"

#include <gmock/gmock.h>

namespace espalier {
namespace {

using testing::ElementsAre;

std::vector<std::size_t> drain(TrialQueue& queue) {
  std::vector<std::size_t> order;
  while (const auto trial = queue.next()) {
    order.push_back(*trial);
    queue.done(*trial, true);
  }
  return order;
}

TEST(TrialQueue, KeepsTheOrderWhereNothingIsShared) {
  TrialQueue queue({{0, {}}, {1, {}}, {2, {}}});
  EXPECT_EQ(queue.waiting(), 3u);
  EXPECT_THAT(drain(queue), ElementsAre(0, 1, 2));
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(TrialQueue, BringsTrialsThatShareStagesTogether) {
  TrialQueue queue(
      {{0, {"x", "p"}}, {1, {"y", "p"}}, {2, {"x", "q"}}, {3, {"y", "p"}}, {4, {"x", "p"}}});
  EXPECT_THAT(drain(queue), ElementsAre(0, 4, 2, 1, 3));
}

TEST(TrialQueue, ASecondWorkerTakesAnotherStageInsteadOfWaiting) {
  TrialQueue queue({{0, {"x"}}, {1, {"x"}}, {2, {"y"}}, {3, {"y"}}});
  EXPECT_EQ(queue.next(), 0u);
  EXPECT_EQ(queue.next(), 2u);
  // Both stages are being made: waiting is all that is left.
  EXPECT_EQ(queue.next(), 1u);
  queue.done(0, true);
  EXPECT_EQ(queue.next(), 3u);
  EXPECT_EQ(queue.next(), std::nullopt);
}

TEST(TrialQueue, AStageThatIsMadeKeepsNobodyAway) {
  TrialQueue queue({{0, {"x"}}, {1, {"x"}}, {2, {"x"}}, {3, {"y"}}});
  EXPECT_EQ(queue.next(), 0u);
  queue.done(0, true);
  EXPECT_EQ(queue.next(), 1u);
  EXPECT_EQ(queue.next(), 2u);
}

TEST(TrialQueue, AFailedTrialMadeNothing) {
  TrialQueue queue({{0, {"x"}}, {1, {"x"}}, {2, {"x"}}, {3, {"y"}}});
  EXPECT_EQ(queue.next(), 0u);
  queue.done(0, false);
  EXPECT_EQ(queue.next(), 1u);
  EXPECT_EQ(queue.next(), 3u);
}

}  // namespace
}  // namespace espalier
