#include "train/test_set.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::World;

// The seal: an answer costs the test set, and training has no way to take one.
template <class T>
concept AnswersTwice = requires(T& test, const TestSet::Logits& logits) {
  test.evaluate(logits);
};
static_assert(!AnswersTwice<TestSet>);
static_assert(!std::is_copy_constructible_v<TestSet>);
static_assert(!std::is_constructible_v<LabelledSamples, SealedSamples>);
static_assert(!std::is_constructible_v<std::vector<std::int64_t>, SealedLabels>);

TEST(TestSet, JudgesByItsLabels) {
  const World world("none", "mlp", {{"layers", 0}});
  const at::Tensor logits = world.answers(world.data.test);
  const std::vector<std::int64_t> labels = world.data.labels(36, 60);
  TestSet test({world.data.test, SealedLabels(labels)}, std::vector<std::string>(24, "id"));
  const TestSet::Verdict verdict =
      std::move(test).evaluate([&](std::span<const std::size_t> samples) {
        return world.answers({samples.begin(), samples.end()});
      });
  EXPECT_EQ(verdict.metrics.top1, metrics_of(logits, labels).top1);
  EXPECT_EQ(verdict.predictions.logits.size(), 24U * 4);
  EXPECT_EQ(verdict.predictions.ids.size(), 24U);
  EXPECT_EQ(verdict.predictions.split, "test");
}

}  // namespace
}  // namespace espalier
