// Trials whose classes come one task after another.
#include <gmock/gmock.h>

#include "train/trial.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/nn/safetensors_tensor.hpp>
#include <filesystem>

#include "plugins/plugin_support.hpp"
#include "train/plugin_trial.hpp"
#include "train/task_metrics.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::error_of;
using testing_support::expect_same;

class TaskTrials : public testing_support::PluginTrial {
 protected:
  TaskTrials() {
    config_ = {
        {"dataset", {{"use", "flora"}, {"classes", 6}, {"per_class", 16}, {"size", 32}}},
        {"captioner", {{"use", "attributes"}}},
        {"encoder", {{"use", "classical"}, {"size", 32}, {"text_width", 128}}},
        {"graph", {{"use", "knn"}, {"k", 3}}},
        {"gnn", {{"use", "ga_net"}, {"layer", "gcn"}, {"bottleneck", 8}, {"activation", "gelu"}}},
        {"peft", {{"use", "none"}}},
        {"protocol", {{"shots", 4}, {"val_shots", 2}, {"tasks", 3}, {"scenario", "task"}}},
        {"train", {{"epochs", 8}, {"lr", 0.03}, {"select", "last"}}},
        {"seed", 1}};
  }

  std::optional<TrialResult> run(const std::string& name = "trial") {
    fs::create_directories(folder_ / name);
    TrialRequest request;
    request.trial_id = "trial";
    request.combo_id = "combo";
    request.config = testing_support::resolved(config_, loader_);
    for (const char* stage :
         {"image_features", "image_activations", "class_features", "class_activations", "captions",
          "text_features", "text_activations"}) {
      request.stages.push_back({stage, "key" + key_, "{}"});
    }
    request.folder = folder_ / name;
    request.cache = folder_ / "cache";
    return run_trial(request, hooks());
  }

  void hold(double lambda) {
    config_["train"]["ewc"] = lambda;
    config_["train"]["ewc_source"] = "previous_tasks";
  }
  void use_clip() {
    config_["encoder"] = {{"use", "clip"}, {"weights", "builtin:flora-clip"}};
    key_ = "clip";
  }

  Json config_;
  std::string key_;
};

TEST_F(TaskTrials, SayHowWellEachTaskIsStillKnown) {
  const auto result = run();
  ASSERT_TRUE(result);
  const auto& accuracy = result->tasks.accuracy;
  ASSERT_EQ(accuracy.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(std::isnan(accuracy[i][j]), j > i) << i << j;
  }
  // The last row is what the predictions say.
  const Predictions& test = result->predictions.at(1);
  std::vector<double> right(3, 0), all(3, 0);
  for (std::size_t i = 0; i < test.labels.size(); ++i) {
    const auto task = static_cast<std::size_t>(
        result->tasks.task_of_class[static_cast<std::size_t>(test.labels[i])]);
    const auto told = static_cast<std::size_t>(
        result->tasks.task_of_class[static_cast<std::size_t>(test.predicted[i])]);
    EXPECT_EQ(task, told) << "a choice among the classes of the task";
    all[task] += 1;
    right[task] += test.labels[i] == test.predicted[i] ? 1 : 0;
  }
  for (std::size_t j = 0; j < 3; ++j) EXPECT_EQ(accuracy[2][j], right[j] / all[j]) << j;
  EXPECT_EQ(result->task_forgetting, forgetting(accuracy));
  EXPECT_EQ(result->backward_transfer, backward_transfer(accuracy));
  EXPECT_TRUE(std::isfinite(result->test_loss));
}

TEST_F(TaskTrials, CountEpochsOnAndTellOfEachOnce) {
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->epochs, 3 * 9 - 1);
  EXPECT_EQ(result->best_epoch, result->epochs);
  ASSERT_EQ(result->metrics.size(), 2U * 27);
  ASSERT_EQ(rows_.size(), result->metrics.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    EXPECT_EQ(rows_[i].epoch, static_cast<std::int32_t>(i / 2));
    EXPECT_EQ(rows_[i].epoch, result->metrics[i].epoch);
    EXPECT_EQ(rows_[i].step, result->metrics[i].step);
    EXPECT_EQ(rows_[i].loss, result->metrics[i].loss);
  }
  EXPECT_EQ(rows_.back().step, 24);
}

TEST_F(TaskTrials, KeepNeighboursOfEarlierTasksInTheGraph) {
  EXPECT_EQ(run()->graph.at("nodes"), 24) << "of all three tasks";
  config_["protocol"]["graph"] = "none";
  EXPECT_TRUE(run()->graph.empty());
}

// Of a few tasks the shares of all come together in test_top1, whatever is told.
TEST_F(TaskTrials, AreHarderWhereNobodySaysWhichTaskItIs) {
  const auto told = run();
  config_["protocol"]["scenario"] = "class";
  const auto open = run("open");
  ASSERT_TRUE(told && open);
  EXPECT_LT(open->test_top1, told->test_top1);
  EXPECT_GT(open->task_forgetting, told->task_forgetting);
}

// Shared parameters cannot move; those that only later tasks have, rows of the head, still learn.
TEST_F(TaskTrials, ThatAreHeldByAHugeLambdaForgetNothing) {
  config_["train"]["weight_decay"] = 0;
  config_["train"]["epochs"] = 30;
  const auto free = run();
  hold(1e9);
  const auto held = run("held");
  ASSERT_TRUE(free && held);
  EXPECT_EQ(held->tasks.accuracy[0][0], free->tasks.accuracy[0][0]) << "the first task is the same";
  for (const std::size_t j : {0, 1}) {
    EXPECT_NEAR(held->tasks.accuracy[2][j], held->tasks.accuracy[j][j], 0.21) << j;
  }
  const SafeTensors file = SafeTensors::open(folder_ / "held/adapter/ewc.safetensors");
  const SafeTensors network = SafeTensors::open(folder_ / "held/adapter/network.safetensors");
  const SafeTensors unheld = SafeTensors::open(folder_ / "trial/adapter/network.safetensors");
  const at::Tensor anchor = to_tensor(file, "task_1.anchor.gnn.up.weight");
  const auto moved = [&](const SafeTensors& to) {
    return (to_tensor(to, "gnn.up.weight") - anchor).norm().item<double>();
  };
  EXPECT_GT(moved(unheld), 0);
  EXPECT_LT(moved(network), 0.5 * moved(unheld));
  EXPECT_NE(file.find("task_2.fisher.head.linear.weight"), nullptr);
  EXPECT_EQ(file.find("task_3.anchor.gnn.up.weight"), nullptr) << "nothing comes after the last";
}

TEST_F(TaskTrials, StopAndGoOnWithTheSameBitsInAnyTask) {
  hold(10);
  const auto whole = run("whole");
  ASSERT_TRUE(whole);
  for (const std::int64_t epoch : {3, 8, 11, 26 - 1}) {
    const std::string name = "stopped" + std::to_string(epoch);
    rows_.clear();
    stop_after_ = epoch;
    EXPECT_FALSE(run(name));
    stop_ = false;
    stop_after_ = -1;
    const auto resumed = run(name);
    ASSERT_TRUE(resumed);
    expect_same(*whole, *resumed);
    EXPECT_EQ(whole->tasks.accuracy[1][0], resumed->tasks.accuracy[1][0]);
    EXPECT_EQ(rows_.size(), whole->metrics.size()) << "each evaluation is reported once";
    for (const auto& file : fs::directory_iterator(folder_ / name)) {
      EXPECT_EQ(file.path().filename(), "adapter") << "nothing to go on from is left";
    }
  }
}

TEST_F(TaskTrials, NeedTwoClassesATask) {
  config_["protocol"]["tasks"] = 4;
  EXPECT_THAT(error_of([&] { (void)run(); }), HasSubstr("at most 3 tasks"));
}

// With one task and a start that is zero-shot classification, what is held is the adapter at its
// start, of which W_up alone has any Fisher information: it is zero, and nothing else can matter.
TEST_F(TaskTrials, CanBeHeldToZeroShotClassification) {
  use_clip();
  config_["head"] = {{"use", "prompts"}};
  config_["protocol"] = {{"shots", 4}, {"val_shots", 2}};
  config_["train"] = {{"epochs", 30}, {"lr", 0.01}, {"select", "last"}};
  const auto start = run("a");
  config_["train"]["ewc"] = 1e12;
  config_["train"]["ewc_source"] = "zero_shot";
  const auto held = run("held");
  config_["train"]["epochs"] = 0;
  const auto untrained = run("untrained");
  ASSERT_TRUE(start && held && untrained);
  EXPECT_LT(std::abs(held->test_loss - untrained->test_loss),
            0.2 * std::abs(start->test_loss - untrained->test_loss));
  const SafeTensors file = SafeTensors::open(folder_ / "held/adapter/ewc.safetensors");
  EXPECT_EQ(to_tensor(file, "zero_shot.anchor.gnn.up.weight").abs().max().item<double>(), 0);
  EXPECT_EQ(to_tensor(file, "zero_shot.fisher.gnn.down.weight").abs().max().item<double>(), 0);
  EXPECT_GT(to_tensor(file, "zero_shot.fisher.gnn.up.weight").max().item<double>(), 0);
}

TEST_F(TaskTrials, HoldMethodsInsideTheEncoderToo) {
  use_clip();
  config_["peft"] = {{"use", "lora"}, {"top_layers", 1}, {"r", 2}};
  config_["gnn"] = {{"use", "mlp"}, {"layers", 0}};
  config_["protocol"]["tasks"] = 2;
  config_["train"]["epochs"] = 2;
  config_["train"]["ewc_fisher"] = "sampled";
  hold(1);
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->tasks.accuracy.size(), 2U);
  const SafeTensors file = SafeTensors::open(folder_ / "trial/adapter/ewc.safetensors");
  double largest = 0;
  for (const TensorView& tensor : file.tensors()) {
    if (tensor.name.find(".fisher.peft.") == std::string::npos) continue;
    largest = std::max(largest, to_tensor(file, tensor).max().item<double>());
  }
  EXPECT_GT(largest, 0);
}

// The graph of adapted features is another one, and a training that was interrupted has it too.
TEST_F(TaskTrials, LetTheGraphFollowWhatIsLearned) {
  use_clip();
  config_["peft"] = {{"use", "bitfit"}, {"top_layers", 1}};
  config_["protocol"] = {{"shots", 4}, {"val_shots", 2}};
  config_["train"] = {{"epochs", 6}, {"lr", 0.03}};
  const auto fixed = run("fixed");
  config_["protocol"]["graph_refresh"] = 2;
  const auto whole = run("whole");
  ASSERT_TRUE(fixed && whole);
  EXPECT_EQ(whole->metrics[4].loss, fixed->metrics[4].loss)
      << "two epochs on the graph at the start";
  EXPECT_NE(whole->metrics[6].loss, fixed->metrics[6].loss);
  EXPECT_EQ(whole->graph.at("nodes"), 24) << "training images alone";
  for (const std::int64_t epoch : {1, 3, 5}) {
    const std::string name = "stopped" + std::to_string(epoch);
    stop_after_ = epoch;
    EXPECT_FALSE(run(name));
    stop_ = false;
    stop_after_ = -1;
    const auto resumed = run(name);
    ASSERT_TRUE(resumed);
    expect_same(*whole, *resumed);
  }
}

TEST_F(TaskTrials, LearnToAttendBeforeTheGraph) {
  config_["protocol"] = {{"shots", 4}, {"val_shots", 2}, {"graph_refresh", 3}};
  config_["nodes"] = {{"fuse", "concat"}};
  config_["train"] = {{"epochs", 0}};
  const auto concat = run("concat");
  config_["nodes"] = {{"fuse", "cross_attention"}, {"token_width", 8}, {"heads", 2}};
  const auto start = run("start");
  config_["train"] = {{"epochs", 8}, {"lr", 0.01}};
  const auto learned = run("learned");
  ASSERT_TRUE(concat && start && learned);
  EXPECT_EQ(start->test_loss, concat->test_loss);
  EXPECT_EQ(start->graph, concat->graph);
  EXPECT_LT((learned->metrics.end() - 2)->loss, learned->metrics.front().loss);
  const SafeTensors file = SafeTensors::open(folder_ / "learned/adapter/network.safetensors");
  EXPECT_GT(to_tensor(file, "fusion.image.out.weight").abs().max().item<double>(), 0);
  EXPECT_GT(to_tensor(file, "fusion.text.q.weight").abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace espalier
