#include "train/fit.hpp"

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include "train/checkpoint.hpp"
#include "train/test_set.hpp"
#include <cmath>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <type_traits>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::World;
using testing::HasSubstr;
using testing_support::error_of;

const Json adapter = {{"layer", {{"use", "gcn"}, {"dropout", 0.3}}}, {"bottleneck", 8}};

TrainParams settings() {
  return {.epochs = 12, .batch_size = 7, .lr = 0.02, .label_smoothing = 0.1, .clip_norm = 1.0};
}

Training training(World& world, const TrainParams& params, std::int64_t seed = 1) {
  return {world.model, world.parameters, *world.protocol, world.data.training_labels(), params,
          seed};
}

World world_of(std::int64_t seed = 1) { return {"inductive_attach", "ga_net", adapter, seed}; }

void expect_same_bits(const std::vector<Parameters::Entry>& a,
                      const std::vector<Parameters::Entry>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

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

TEST(Training, Learns) {
  World world = world_of();
  Training run = training(world, {.epochs = 60, .lr = 0.02});
  while (!run.finished()) run.next();
  const auto& metrics = run.progress().metrics;
  EXPECT_EQ(metrics.size(), 2U * 61);
  EXPECT_LT(metrics[metrics.size() - 2].loss, 0.3 * metrics[0].loss);
  EXPECT_GT(run.progress().best_top1, 0.6);
}

TEST(Training, EvaluatesBeforeTheFirstUpdate) {
  World world = world_of();
  Training run = training(world, settings());
  run.next();
  const std::vector<EpochMetrics>& rows = run.progress().metrics;
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].split, "train");
  EXPECT_EQ(rows[1].split, "val");
  EXPECT_EQ(rows[0].epoch, 0);
  EXPECT_EQ(rows[0].step, 0);
  EXPECT_TRUE(std::isnan(rows[0].lr));
}

// W_up is zero, and the head has a stream of its own.
TEST(Training, TheAdapterBeginsAsTheHeadAlone) {
  for (const char* use : {"linear", "cosine"}) {
    const World adapted("inductive_attach", "ga_net", adapter, 1, {.use = use});
    const World bare("none", "mlp", {{"layers", 0}}, 1, {.use = use});
    const auto a = adapted.protocol->evaluate(adapted.model);
    const auto b = bare.protocol->evaluate(bare.model);
    EXPECT_TRUE(a.train.equal(b.train)) << use;
    EXPECT_TRUE(a.val.equal(b.val)) << use;
  }
}

TEST(Training, OneEpochIsOneUpdateABatch) {
  World world = world_of();
  Training run = training(world, settings());
  run.next();
  run.next();
  EXPECT_EQ(run.progress().metrics.back().step, 4) << "24 samples in batches of 7";
}

TEST(Training, TheSameSeedGivesTheSameBitsAndAnotherDoesNot) {
  const auto run = [](std::int64_t seed) {
    World world = world_of(seed);
    Training training_run = training(world, settings(), seed);
    while (!training_run.finished()) training_run.next();
    return world.parameters.snapshot();
  };
  const auto first = run(1);
  expect_same_bits(first, run(1));
  EXPECT_FALSE(first[0].second.equal(run(2)[0].second));
}

TEST(Training, StopsEarlyWhenNothingGetsBetter) {
  World world = world_of();
  Training run = training(world, {.epochs = 1000, .lr = 1e-12, .patience = 3});
  while (!run.finished()) run.next();
  EXPECT_EQ(run.progress().best_epoch, 0) << "of equals the earlier";
  EXPECT_EQ(run.progress().epoch, 3);
}

TEST(Training, WithoutEpochsIsEvaluatedOnce) {
  World world = world_of();
  Training run = training(world, {.epochs = 0});
  while (!run.finished()) run.next();
  EXPECT_EQ(run.progress().metrics.size(), 2U);
}

TEST(Training, ALossThatIsNotFiniteEndsIt) {
  World world = world_of();
  Training run = training(world, {.epochs = 50, .lr = 1e30, .warmup = 0});
  const std::string error = error_of([&] {
    while (!run.finished()) run.next();
  });
  EXPECT_THAT(error, HasSubstr("loss is not finite in epoch"));
  EXPECT_THAT(error, HasSubstr("train.lr"));
}

// Without edges the samples outside a batch are left out of the computation; with full batches both
// ways must agree.
TEST(Training, BatchesOfGraphlessNodesAreComputedAlone) {
  World graphless("none", "mlp", {{"layers", 1}, {"hidden", 8}});
  World attached("inductive_attach", "mlp", {{"layers", 1}, {"hidden", 8}});
  Training a = training(graphless, settings());
  Training b = training(attached, settings());
  while (!a.finished()) {
    a.next();
    b.next();
  }
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LT(golden::error(graphless.parameters.tensors()[i].detach(),
                            attached.parameters.tensors()[i].detach()),
              1e-4);
  }
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
  World whole = world_of();
  Training uninterrupted = training(whole, settings());
  while (!uninterrupted.finished()) uninterrupted.next();
  for (const std::int64_t stop : {0, 1, 5, 11}) {
    World before = world_of();
    Training first = training(before, settings());
    while (first.progress().epoch < stop) first.next();
    checkpoint().save(first, before.parameters);
    World after = world_of();
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
  World world = world_of();
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
  World world = world_of();
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
  World world = world_of();
  Training run = training(world, settings());
  checkpoint().save(run, world.parameters);
  std::filesystem::rename(file(), folder_ / "elsewhere");
  std::filesystem::create_symlink(folder_ / "elsewhere", file());
  EXPECT_THROW(checkpoint().save(run, world.parameters), Error);
  EXPECT_FALSE(checkpoint().load(run, world.parameters));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "elsewhere"));
}

TEST_F(Checkpoints, OfAnotherModelAreNotUsed) {
  World world = world_of();
  Training run = training(world, settings());
  run.next();
  checkpoint().save(run, world.parameters);
  World other("inductive_attach", "ga_net", {{"layer", "gcn"}, {"bottleneck", 9}});
  Training wider = training(other, settings());
  EXPECT_FALSE(checkpoint().load(wider, other.parameters));
}

// The seal: an answer costs the test set, and training has no way to take one.
template <class T>
concept AnswersTwice = requires(T& test, const std::function<at::Tensor(const Nodes&)>& logits) {
  test.evaluate(logits);
};
static_assert(!AnswersTwice<TestSet>);
static_assert(!std::is_copy_constructible_v<TestSet>);
static_assert(!std::is_constructible_v<TrainingLabels, SealedLabels>);
static_assert(!std::is_constructible_v<std::vector<std::int64_t>, SealedLabels>);

TEST(TestSet, GivesItsNodesToTheTransductiveProtocolAlone) {
  const small_world::Data data;
  const TestSet test(data.test, SealedLabels(data.labels(36, 60)), std::vector<std::string>(24));
  EXPECT_TRUE(test.unlabelled("transductive").has_value());
  for (const char* protocol : {"none", "inductive_attach", "inductive_batch"}) {
    EXPECT_FALSE(test.unlabelled(protocol).has_value());
  }
}

TEST(TestSet, JudgesByItsLabels) {
  const World world("none", "mlp", {{"layers", 0}});
  const at::Tensor logits = world.protocol->test(world.model, world.data.test);
  TestSet test(world.data.test, SealedLabels(world.data.labels(36, 60)),
               std::vector<std::string>(24, "id"));
  const TestSet::Verdict verdict = std::move(test).evaluate(
      [&](const Nodes& queries) { return world.protocol->test(world.model, queries); });
  EXPECT_EQ(verdict.metrics.top1, metrics_of(logits, world.data.labels(36, 60)).top1);
  EXPECT_EQ(verdict.predictions.logits.size(), 24U * 4);
  EXPECT_EQ(verdict.predictions.ids.size(), 24U);
  EXPECT_EQ(verdict.predictions.split, "test");
}

}  // namespace
}  // namespace espalier
