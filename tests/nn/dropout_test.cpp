#include <espalier/nn/dropout.hpp>

#include <gmock/gmock.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>

#include <espalier/core/error.hpp>
#include <vector>

namespace espalier {
namespace {

using Ids = std::vector<std::uint64_t>;

Mode training(const Ids& ids, std::uint64_t key = 9) {
  return {.training = true, .dropout = {.key = key, .rows = ids}};
}

at::Tensor mask(const Ids& ids, at::IntArrayRef shape, std::string_view site = "a",
                std::uint64_t key = 9) {
  return dropout(at::ones(shape), 0.25, training(ids, key), site);
}

TEST(Dropout, DrawsTheSameMasksHoweverRowsAreCutAndOrdered) {
  const at::Tensor whole = mask({4, 8, 15, 16, 23}, {5, 7, 3});
  const at::Tensor parts = at::cat({mask({4, 8}, {2, 7, 3}), mask({15, 16, 23}, {3, 7, 3})});
  EXPECT_TRUE(parts.equal(whole));
  EXPECT_TRUE(mask({23, 4}, {2, 7, 3})[0].equal(whole[4]));
}

TEST(Dropout, DrawsALongerRowLikeAShorterOneAtItsBeginning) {
  EXPECT_TRUE(mask({6}, {1, 9, 5}).narrow(1, 0, 4).equal(mask({6}, {1, 4, 5})));
}

TEST(Dropout, DrawsOtherMasksForOtherRowsSitesAndKeys) {
  const at::Tensor one = mask({1}, {1, 64});
  EXPECT_FALSE(one.equal(mask({2}, {1, 64})));
  EXPECT_FALSE(one.equal(mask({1}, {1, 64}, "b")));
  EXPECT_FALSE(one.equal(mask({1}, {1, 64}, "a", 10)));
}

// Of 100 000 draws five standard errors are 0.007; neighbouring rows are as independent as any.
TEST(Dropout, ZeroesTheShareThatIsAskedForAndKeepsTheMean) {
  Ids ids(1000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
  const at::Tensor masks = mask(ids, {1000, 100});
  const at::Tensor dropped = masks.eq(0).to(at::kFloat);
  EXPECT_NEAR(dropped.mean().item<double>(), 0.25, 0.007);
  EXPECT_NEAR(masks.mean().item<double>(), 1.0, 0.01);
  const at::Tensor both = dropped.narrow(0, 0, 999) * dropped.narrow(0, 1, 999);
  EXPECT_NEAR(both.mean().item<double>(), 0.0625, 0.004);
  EXPECT_NEAR(masks.max().item<double>(), 1 / 0.75, 1e-6);
}

TEST(Dropout, DoesNothingOutsideTrainingAndNeedsAnIdForEachRow) {
  const at::Tensor x = at::ones({3, 2});
  EXPECT_TRUE(dropout(x, 0.5, {}, "a").is_same(x));
  EXPECT_TRUE(dropout(x, 0, training({}), "a").is_same(x));
  try {
    (void)dropout(x, 0.5, training({1, 2}), "layers.3");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("layers.3"), testing::HasSubstr("3 rows")));
  }
}

}  // namespace
}  // namespace espalier
