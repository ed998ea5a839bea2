#include "train/milestone.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <filesystem>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::AdapterWorld;
using small_world::expect_same_bits;

class MilestonesOnDisk : public testing::Test {
 protected:
  MilestonesOnDisk()
      : folder_(std::filesystem::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~MilestonesOnDisk() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Milestones milestones(const std::string& trial = "trial") const {
    return {folder_, trial, *spdlog::default_logger()};
  }
  [[nodiscard]] Milestone example() const {
    Milestone one{.progress = {.epoch = 3,
                               .best_epoch = 2,
                               .best_top1 = missing,
                               .seconds = 1.5,
                               .forward = {},
                               .backward = {},
                               .metrics = {}},
                  .parameters = world_.parameters.snapshot(),
                  .fisher = {},
                  .memory = {},
                  .logits = at::ones({5, 4})};
    one.progress.metrics = {{1, 4, "train", 0.5, 0.25, 1e-3, missing}};
    for (const auto& [name, tensor] : one.parameters) one.fisher.emplace_back(name, tensor * 2);
    return one;
  }

  std::filesystem::path folder_;
  AdapterWorld world_;
};

TEST_F(MilestonesOnDisk, ComeBackBitForBit) {
  milestones().save(1, example());
  const auto back = milestones().load(1, world_.parameters.entries(), {});
  ASSERT_TRUE(back);
  expect_same_bits(back->parameters, example().parameters);
  expect_same_bits(back->fisher, example().fisher);
  EXPECT_TRUE(back->logits.equal(at::ones({5, 4})));
  EXPECT_EQ(back->progress.epoch, 3);
  EXPECT_TRUE(std::isnan(back->progress.best_top1));
  EXPECT_EQ(back->progress.metrics.at(0).step, 4);
  EXPECT_FALSE(milestones().load(2, world_.parameters.entries(), {}));
}

TEST_F(MilestonesOnDisk, MayLackWhatNobodyAskedFor) {
  Milestone plain = example();
  plain.fisher.clear();
  plain.logits.reset();
  milestones().save(0, plain);
  const auto back = milestones().load(0, world_.parameters.entries(), {});
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->fisher.empty());
  EXPECT_FALSE(back->logits.defined());
}

TEST_F(MilestonesOnDisk, ThatCannotBeUsedAreRemoved) {
  milestones("another trial").save(1, example());
  EXPECT_FALSE(milestones().load(1, world_.parameters.entries(), {}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "task-1.safetensors"));
  milestones().save(1, example());
  std::filesystem::resize_file(folder_ / "task-1.safetensors", 300);
  EXPECT_FALSE(milestones().load(1, world_.parameters.entries(), {}));
  small_world::World other("inductive_attach", "ga_net", {{"layer", "gcn"}, {"bottleneck", 9}});
  milestones().save(1, example());
  EXPECT_FALSE(milestones().load(1, other.parameters.entries(), {}));
}

TEST_F(MilestonesOnDisk, GoTogether) {
  for (const std::size_t task : {1, 2}) milestones().save(task, example());
  milestones().remove();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace espalier
