#include "train/checkpoint.hpp"

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include <espalier/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::AdapterWorld;
using small_world::expect_same_bits;
using small_world::settings;
using small_world::training;
using small_world::World;

void expect_same_metrics(const Progress& a, const Progress& b) {
  ASSERT_EQ(a.metrics.size(), b.metrics.size());
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    EXPECT_EQ(a.metrics[i].epoch, b.metrics[i].epoch);
    EXPECT_EQ(a.metrics[i].step, b.metrics[i].step);
    EXPECT_EQ(a.metrics[i].loss, b.metrics[i].loss);
    EXPECT_EQ(a.metrics[i].top1, b.metrics[i].top1);
  }
  EXPECT_EQ(a.best_epoch, b.best_epoch);
  EXPECT_EQ(a.best_top1, b.best_top1);
}

class Checkpoints : public testing::Test {
 protected:
  Checkpoints()
      : folder_(std::filesystem::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~Checkpoints() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Checkpoint checkpoint(const std::string& trial = "trial") const {
    return {folder_, trial, *spdlog::default_logger()};
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "checkpoint.safetensors"; }

  std::filesystem::path folder_;
};

TEST_F(Checkpoints, ATrainingGoesOnWithTheSameBits) {
  AdapterWorld whole;
  Training uninterrupted = training(whole, settings());
  while (!uninterrupted.finished()) uninterrupted.next();
  for (const std::int64_t stop : {0, 1, 5, 11}) {
    AdapterWorld before;
    Training first = training(before, settings());
    while (first.progress().epoch < stop) first.next();
    checkpoint().save(first, before.parameters);
    AdapterWorld after;
    Training second = training(after, settings());
    ASSERT_TRUE(checkpoint().load(second, after.parameters));
    EXPECT_EQ(second.progress().epoch, stop);
    while (!second.finished()) second.next();
    expect_same_bits(after.parameters.snapshot(), whole.parameters.snapshot());
    expect_same_bits(second.best(), uninterrupted.best());
    expect_same_metrics(second.progress(), uninterrupted.progress());
  }
}

TEST_F(Checkpoints, ThatCannotBeUsedAreRemovedAndTheTrialStartsAnew) {
  AdapterWorld world;
  Training run = training(world, settings());
  run.next();
  const auto untouched = world.parameters.snapshot();
  checkpoint("another trial").save(run, world.parameters);
  EXPECT_FALSE(checkpoint().load(run, world.parameters));
  EXPECT_FALSE(std::filesystem::exists(file()));
  checkpoint().save(run, world.parameters);
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
  EXPECT_FALSE(checkpoint().load(run, world.parameters));
  std::ofstream(file()) << "nonsense";
  EXPECT_FALSE(checkpoint().load(run, world.parameters));
  EXPECT_FALSE(checkpoint().load(run, world.parameters)) << "there is none now";
  expect_same_bits(world.parameters.snapshot(), untouched);
}

// The exponent of a parameter, a moment or the progress: what was resumed would look like a
// training.
TEST_F(Checkpoints, WithAnyFlippedBitAreNotUsed) {
  AdapterWorld world;
  Training run = training(world, settings());
  run.next();
  checkpoint().save(run, world.parameters);
  std::ifstream in(file(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t at = 0; at < whole.size(); at += 61) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    std::ofstream(file(), std::ios::binary) << flipped;
    EXPECT_FALSE(checkpoint().load(run, world.parameters)) << at;
  }
  std::ofstream(file(), std::ios::binary) << whole;
  EXPECT_TRUE(checkpoint().load(run, world.parameters));
}

TEST_F(Checkpoints, ThatAreLinksAreNotUsed) {
  AdapterWorld world;
  Training run = training(world, settings());
  checkpoint().save(run, world.parameters);
  std::filesystem::rename(file(), folder_ / "elsewhere");
  std::filesystem::create_symlink(folder_ / "elsewhere", file());
  EXPECT_THROW(checkpoint().save(run, world.parameters), Error);
  EXPECT_FALSE(checkpoint().load(run, world.parameters));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "elsewhere"));
}

TEST_F(Checkpoints, OfAnotherModelAreNotUsed) {
  AdapterWorld world;
  Training run = training(world, settings());
  run.next();
  checkpoint().save(run, world.parameters);
  World other("inductive_attach", "ga_net", {{"layer", "gcn"}, {"bottleneck", 9}});
  Training wider = training(other, settings());
  EXPECT_FALSE(checkpoint().load(wider, other.parameters));
}

}  // namespace
}  // namespace espalier
