#include "train/class_parts.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/softmax.h>
#include <gmock/gmock.h>

#include <set>

#include "plugins/plugin_support.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::error_of;

TEST(ClassParts, HoldEachClassOnceInPartsOfLikeSize) {
  const ClassParts parts(11, 3, 1);
  std::multiset<std::int64_t> all;
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_EQ(parts.labels(p).size(), p < 2 ? 4U : 3U);
    all.insert(parts.labels(p).begin(), parts.labels(p).end());
    for (const std::int64_t label : parts.labels(p)) EXPECT_EQ(parts.part_of(label), p);
  }
  EXPECT_EQ(all.size(), 11U);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 11U);
  EXPECT_THAT(parts.labels_until(2), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_EQ(parts.labels_until(0), parts.labels(0));
}

TEST(ClassParts, AreDrawnBySeed) {
  const auto first = [](std::int64_t seed) { return ClassParts(20, 2, seed).labels(0); };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1), first(2));
}

TEST(ClassParts, OfOnePartHoldAllInOrder) {
  const ClassParts one(3, 1, 7);
  EXPECT_THAT(one.labels(0), ElementsAre(0, 1, 2));
}

TEST(ClassParts, NeedTwoClassesEach) {
  EXPECT_THAT(error_of([] { ClassParts(7, 4, 1); }),
              testing::AllOf(HasSubstr("at most 3 tasks"), HasSubstr("7 classes in 4 tasks")));
  EXPECT_NO_THROW(ClassParts(8, 4, 1));
}

TEST(ClassParts, TakeTheirSamplesInOrder) {
  const ClassParts parts(4, 2, 1);
  const std::int64_t a = parts.labels(1)[0], b = parts.labels(1)[1], other = parts.labels(0)[0];
  const LabelledSamples some = parts.of_part({{9, 8, 7, 6}, {b, other, a, b}}, 1);
  EXPECT_THAT(some.samples, ElementsAre(9, 7, 6));
  EXPECT_THAT(some.labels, ElementsAre(b, a, b));
}

TEST(ClassParts, LeaveNoChoiceOutsideOfTheTaskThatIsTold) {
  const ClassParts parts(4, 2, 1);
  const at::Tensor logits = at::arange(8, at::kFloat).view({2, 4});
  const std::vector<std::int64_t> labels = {parts.labels(0)[0], parts.labels(1)[1]};
  const at::Tensor p = at::softmax(parts.told(logits, labels), 1);
  for (std::int64_t i = 0; i < 2; ++i) {
    double own = 0;
    for (const std::int64_t c : parts.labels(static_cast<std::size_t>(i))) {
      own += p[i][c].item<double>();
    }
    EXPECT_NEAR(own, 1.0, 1e-6) << i;
  }
}

}  // namespace
}  // namespace espalier
