#include "train/training.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/logsumexp.h>
#include <gmock/gmock.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <stdexcept>

#include "train/index_of.hpp"
#include <espalier/nn/flops.hpp>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::adapter;
using small_world::AdapterWorld;
using small_world::expect_same_bits;
using small_world::settings;
using small_world::training;
using small_world::World;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing_support::error_of;

TEST(Training, Learns) {
  AdapterWorld world;
  Training run = training(world, {.epochs = 60, .lr = 0.02});
  while (!run.finished()) run.next();
  const auto& metrics = run.progress().metrics;
  EXPECT_EQ(metrics.size(), 2U * 61);
  EXPECT_LT(metrics[metrics.size() - 2].loss, 0.3 * metrics[0].loss);
  EXPECT_GT(run.progress().best_top1, 0.6);
}

TEST(Training, EvaluatesBeforeTheFirstUpdate) {
  AdapterWorld world;
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
    EXPECT_TRUE(adapted.trained().equal(bare.trained())) << use;
    EXPECT_TRUE(adapted.answers(adapted.data.val).equal(bare.answers(bare.data.val))) << use;
  }
}

TEST(Training, OneEpochIsOneUpdateABatch) {
  AdapterWorld world;
  Training run = training(world, settings());
  run.next();
  run.next();
  EXPECT_EQ(run.progress().metrics.back().step, 4) << "24 samples in batches of 7";
}

Json adapter_with(double dropout) {
  return {{"layer", {{"use", "gcn"}, {"dropout", dropout}}}, {"bottleneck", 8}};
}

double loss_of_training_samples(World& world) {
  const at::Tensor logits = world.trained().to(at::kDouble);
  const at::Tensor labels = index_of(world.data.labels(0, 24), at::kCPU);
  return (at::logsumexp(logits, 1) - logits.gather(1, labels.unsqueeze(1)).squeeze(1))
      .mean()
      .item<double>();
}

TEST(Training, SaysOfTrainingSamplesWhatTheParametersMakeOfThemNow) {
  for (const char* protocol : {"none", "inductive_attach", "transductive"}) {
    for (const double dropout : {0.0, 0.3}) {
      World world(protocol, "ga_net", adapter_with(dropout));
      Training run = training(world, {.epochs = 5, .lr = 0.02});
      while (!run.finished()) {
        run.next();
        EXPECT_EQ(run.last_metrics().front().loss, loss_of_training_samples(world))
            << protocol << ", dropout " << dropout << ", epoch " << run.progress().epoch;
      }
    }
  }
}

// Products of other numbers of rows round otherwise.
TEST(Training, SaysTheSameOfThemInMiniBatches) {
  for (const char* protocol : {"none", "inductive_attach"}) {
    for (const double dropout : {0.0, 0.3}) {
      World world(protocol, "ga_net", adapter_with(dropout));
      Training run = training(world, {.epochs = 5, .batch_size = 7, .lr = 0.02});
      double before = 0;
      while (!run.finished()) {
        run.next();
        const double loss = run.last_metrics().front().loss;
        EXPECT_NEAR(loss, loss_of_training_samples(world), 1e-6)
            << protocol << ", dropout " << dropout << ", epoch " << run.progress().epoch;
        EXPECT_GT(std::abs(loss - before), 1e-4);
        before = loss;
      }
    }
  }
}

// Of other sources, to see who is asked.
TEST(Training, AsksForTheStartWhereThatIsKnown) {
  const World world("none", "ga_net", adapter_with(0.3));
  const at::Tensor half = world.data.x * 0.5;
  const auto count = static_cast<std::size_t>(half.size(0));
  const Sources other{.images = std::make_shared<FrozenSource>(half, small_world::range(0, count))};
  const auto losses = [&](const Sources* start) {
    World fresh("none", "ga_net", adapter_with(0.3));
    Task task{fresh.network,   fresh.parameters,           fresh.sources,
              *fresh.protocol, fresh.data.labelled(0, 24), fresh.data.labelled(24, 36)};
    task.start = start;
    Training run(std::move(task), {.epochs = 2, .lr = 0.02}, 1);
    std::vector<double> all;
    while (!run.finished()) {
      run.next();
      all.push_back(run.last_metrics().front().loss);
    }
    return all;
  };
  const std::vector<double> own = losses(nullptr), told = losses(&other);
  EXPECT_EQ(losses(&world.sources), own);
  EXPECT_NE(told[0], own[0]);
  EXPECT_EQ((std::vector{told[1], told[2]}), (std::vector{own[1], own[2]}));
}

TEST(Training, TakesSamplesThroughTheNetworkOnceWhereNothingIsDrawn) {
  const auto flops_of_an_epoch = [](double dropout, std::int64_t batch_size,
                                    const char* protocol = "inductive_attach") {
    World world(protocol, "ga_net", adapter_with(dropout));
    Training run = training(world, {.epochs = 5, .batch_size = batch_size, .lr = 0.02});
    for (int i = 0; i < 2; ++i) run.next();
    const FlopCounter counter;
    run.next();
    return counter.count();
  };
  const std::int64_t twice = flops_of_an_epoch(0.3, 0);
  EXPECT_LT(flops_of_an_epoch(0.0, 0), twice);
  EXPECT_EQ(flops_of_an_epoch(0.0, 24), twice) << "neighbours of a mini-batch may be old";
  const auto of_batches = [&](std::int64_t size) {
    return flops_of_an_epoch(0.3, size, "none") - flops_of_an_epoch(0.0, size, "none");
  };
  EXPECT_GT(of_batches(6), 0) << "the first batch without edges is known";
  EXPECT_EQ(of_batches(12), 2 * of_batches(6));
}

TEST(Training, TheSameSeedGivesTheSameBitsAndAnotherDoesNot) {
  const auto run = [](std::int64_t seed) {
    AdapterWorld world(seed);
    Training training_run = training(world, settings(), seed);
    while (!training_run.finished()) training_run.next();
    return world.parameters.snapshot();
  };
  const auto first = run(1);
  expect_same_bits(first, run(1));
  EXPECT_FALSE(first[0].second.equal(run(2)[0].second));
}

TEST(Training, StopsEarlyWhenNothingGetsBetter) {
  AdapterWorld world;
  Training run = training(world, {.epochs = 1000, .lr = 1e-12, .patience = 3});
  while (!run.finished()) run.next();
  EXPECT_EQ(run.progress().best_epoch, 0) << "of equals the earlier";
  EXPECT_EQ(run.progress().epoch, 3);
}

TEST(Training, WithoutEpochsIsEvaluatedOnce) {
  AdapterWorld world;
  Training run = training(world, {.epochs = 0});
  while (!run.finished()) run.next();
  EXPECT_EQ(run.progress().metrics.size(), 2U);
}

TEST(Training, CanTakeTheLastEpoch) {
  AdapterWorld world;
  TrainParams params = settings();
  params.select = "last";
  params.patience = 1;
  Training run = training(world, params);
  while (!run.finished()) run.next();
  EXPECT_EQ(run.progress().best_epoch, 12) << "patience asks for a best";
  EXPECT_EQ(run.progress().best_top1, run.progress().metrics.back().top1);
  expect_same_bits(run.best(), world.parameters.snapshot());
}

TEST(Training, WithoutValidationTakesTheLastEpoch) {
  AdapterWorld world;
  Training run({world.network,
                world.parameters,
                world.sources,
                *world.protocol,
                world.data.labelled(0, 24),
                {}},
               settings(), 1);
  while (!run.finished()) run.next();
  EXPECT_EQ(run.progress().best_epoch, 12);
  EXPECT_TRUE(std::isnan(run.progress().best_top1));
  EXPECT_EQ(run.progress().metrics.size(), 13U) << "a row an epoch, of train";
}

TEST(Training, WithNothingToTrainIsEvaluatedOnce) {
  World world("none", "mlp", {{"layers", 0}}, 1, {.use = "prompts"}, {}, 16);
  world.sources.classes =
      std::make_shared<FrozenSource>(world.data.x.slice(0, 0, 4), small_world::range(0, 4));
  world.sources.class_count = 4;
  Training run = training(world, settings());
  while (!run.finished()) run.next();
  EXPECT_EQ(run.progress().epoch, 0);
}

class Pull final : public Penalty {
 public:
  at::Tensor operator()(const Parameters& parameters) const override {
    return parameters.entries().back().second.square().sum() * 1e6;
  }
};

TEST(Training, FollowsItsPenalty) {
  AdapterWorld free;
  AdapterWorld pulled;
  const Pull pull;
  TrainParams params = settings();
  params.select = "last";
  params.weight_decay = 0;
  const auto trained = [&](World& world, const Penalty* penalty) {
    Training run({world.network, world.parameters, world.sources, *world.protocol,
                  world.data.labelled(0, 24), world.data.labelled(24, 36), penalty},
                 params, 1);
    while (!run.finished()) run.next();
    return world.parameters.entries().back().second.abs().max().item<double>();
  };
  EXPECT_LT(trained(pulled, &pull), 0.5 * trained(free, nullptr));
}

// A method that pulls a parameter to 0, and notes what it is told of updates.
class Watching final : public Peft {
 public:
  explicit Watching(at::Tensor parameter) : parameter_(std::move(parameter)) {}
  [[nodiscard]] at::Tensor penalty() const override { return parameter_.square().sum() * 1e6; }
  void updated(std::int64_t step, std::int64_t of) override {
    EXPECT_TRUE(parameter_.grad().defined());
    updates.push_back(step);
    steps = of;
  }
  std::vector<std::int64_t> updates;
  std::int64_t steps = 0;

 private:
  at::Tensor parameter_;
};

TEST(Training, AsksItsMethodForAPenaltyAndTellsItOfUpdates) {
  AdapterWorld free, pulled;
  const auto last = [](const World& world) { return world.parameters.entries().back().second; };
  Watching method(last(pulled));
  TrainParams params = settings();
  params.weight_decay = 0;
  Training alone = training(free, params);
  Training watched({.network = pulled.network,
                    .parameters = pulled.parameters,
                    .sources = pulled.sources,
                    .protocol = *pulled.protocol,
                    .train = pulled.data.labelled(0, 24),
                    .val = pulled.data.labelled(24, 36),
                    .method = {method, "peft/watching"}},
                   params, 1);
  while (!alone.finished()) alone.next();
  while (!watched.finished()) watched.next();
  const auto size = [&](const World& world) { return last(world).abs().max().item<double>(); };
  EXPECT_LT(size(pulled), 0.5 * size(free));
  EXPECT_EQ(method.steps, 12 * 4) << "12 epochs of 24 samples in batches of 7";
  ASSERT_EQ(std::ssize(method.updates), method.steps);
  EXPECT_EQ(method.updates.front(), 1);
  EXPECT_EQ(method.updates.back(), method.steps);
}

class Broken final : public Peft {
 public:
  [[nodiscard]] at::Tensor penalty() const override { throw std::runtime_error("of no use"); }
};

TEST(Training, SaysWhichMethodFails) {
  AdapterWorld world;
  Broken method;
  Training run({.network = world.network,
                .parameters = world.parameters,
                .sources = world.sources,
                .protocol = *world.protocol,
                .train = world.data.labelled(0, 24),
                .val = {},
                .method = {method, "peft/broken"}},
               settings(), 1);
  const std::string said = error_of([&] {
    while (!run.finished()) run.next();
  });
  EXPECT_THAT(
      said, testing::AllOf(HasSubstr("peft/broken"), HasSubstr("penalty"), HasSubstr("of no use")));
}

class PulledMethod final : public Peft {
 public:
  explicit PulledMethod(const Parameters& parameters) : parameters_(parameters) {}
  at::Tensor penalty() const override { return Pull()(parameters_); }

 private:
  const Parameters& parameters_;
};

TEST(Training, FollowsThePenaltyOfAMethodAsItsOwn) {
  const Pull pull;
  const auto trained = [&](bool by_method) {
    AdapterWorld world;
    PulledMethod method(world.parameters);
    Task task{.network = world.network,
              .parameters = world.parameters,
              .sources = world.sources,
              .protocol = *world.protocol,
              .train = world.data.labelled(0, 24),
              .val = world.data.labelled(24, 36)};
    if (by_method) task.method = MethodInTraining(method, "peft/pulled");
    if (!by_method) task.penalty = &pull;
    Training run(task, settings(), 1);
    while (!run.finished()) run.next();
    return world.parameters.snapshot();
  };
  expect_same_bits(trained(true), trained(false));
}

TEST(Training, ALossThatIsNotFiniteEndsIt) {
  AdapterWorld world;
  Training run = training(world, {.epochs = 50, .lr = 1e30, .warmup = 0});
  const std::string error = error_of([&] {
    while (!run.finished()) run.next();
  });
  EXPECT_THAT(error, ContainsRegex("loss is not finite in epoch [0-9]+, step [0-9]+"));
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

}  // namespace
}  // namespace espalier
