#include "train/fisher.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "train/consolidation.hpp"
#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::World;

const FisherProgress go_on = [](std::int64_t, std::int64_t) { return true; };

using ByName = std::map<std::string, at::Tensor>;

ByName by_name(const std::vector<Parameters::Entry>& entries) {
  return {entries.begin(), entries.end()};
}

// The recorded perceptron, made of the parts that a trial is made of: its first layer, an identity
// behind the activation, and a head for its second layer.
struct Recorded {
  explicit Recorded(const std::string& values = "anchor") {
    const c10::AutoGradMode no_grad(false);
    for (const auto& [name, tensor] : parameters.entries()) {
      const auto theirs = names.find(name);
      at::Tensor(tensor).copy_(theirs != names.end() ? reference[values + "." + theirs->second]
                               : tensor.dim() == 2   ? at::eye(6)
                                                     : at::zeros({6}));
    }
  }

  [[nodiscard]] Task task() {
    const at::Tensor y = reference["y"].contiguous();
    const auto* labels = y.data_ptr<std::int64_t>();
    return {.network = network,
            .parameters = parameters,
            .sources = sources,
            .protocol = *protocol,
            .train = {samples, {labels, labels + y.numel()}},
            .val = {}};
  }
  [[nodiscard]] ByName information(FisherLabels labels, std::int64_t seed = 1) {
    return by_name(*fisher_information(task(), {.labels = labels, .seed = seed}, go_on));
  }

  const std::map<std::string, std::string> names = {{"gnn.layers.0.weight", "0.weight"},
                                                    {"gnn.layers.0.bias", "0.bias"},
                                                    {"head.linear.weight", "2.weight"},
                                                    {"head.linear.bias", "2.bias"}};
  golden::Case reference{"gnn/ewc"};
  Samples samples = small_world::range(0, 30);
  Sources sources{.images = std::make_shared<FrozenSource>(reference["x"], samples)};
  std::shared_ptr<Fusion> fusion =
      make_fusion({.fuse = "image", .normalize = false}, {.images = 8}, false);
  std::unique_ptr<Protocol> protocol = no_graph(samples, 1);
  Parameters parameters;
  Network network{{fusion, testing_support::make<Gnn>("mlp", {{"layers", 2}, {"hidden", 6}}),
                   "gnn/mlp", make_head({.use = "linear"}, {})},
                  4,
                  1,
                  parameters};
};

// PyTorch 2.11's autograd in float32, one sample at a time: rounding is below 1e-6.
TEST(Fisher, IsTheReferences) {
  Recorded recorded;
  for (const auto& [labels, prefix] : {std::pair(FisherLabels::expected, "fisher_expected."),
                                       std::pair(FisherLabels::empirical, "fisher_empirical.")}) {
    const ByName found = recorded.information(labels);
    for (const auto& [ours, theirs] : recorded.names) {
      EXPECT_LT(golden::error(found.at(ours), recorded.reference[prefix + theirs]), 1e-5)
          << prefix << theirs;
    }
  }
  for (const at::Tensor& parameter : recorded.parameters.tensors()) {
    EXPECT_FALSE(parameter.grad().defined());
  }
}

TEST(Fisher, MakesTheReferencesPenalty) {
  Recorded anchored, moved("param");
  const ByName fisher = anchored.information(FisherLabels::empirical);
  Anchor anchor{.source = "task_1", .parameters = {}, .fisher = {}};
  for (const auto& [name, tensor] : anchored.parameters.snapshot()) {
    anchor.parameters.emplace_back(name, tensor);
    anchor.fisher.emplace_back(name, fisher.at(name));
  }
  Consolidation held(anchored.reference.meta.at("lambda"));
  held.add(std::move(anchor));
  const at::Tensor penalty = held(moved.parameters);
  EXPECT_LT(golden::error(penalty.detach(), moved.reference["penalty"]), 1e-5);
  penalty.backward();
  for (const auto& [name, tensor] : moved.parameters.entries()) {
    const auto theirs = moved.names.find(name);
    if (theirs == moved.names.end()) continue;
    EXPECT_LT(golden::error(tensor.grad(), moved.reference["grad_penalty." + theirs->second]), 1e-5)
        << name;
  }
}

// The mean over draws comes to the expectation; of 200 draws of 30 labels each within a few
// percent.
TEST(Fisher, OfDrawnLabelsIsTheExpectedOneInTheMean) {
  Recorded recorded;
  const at::Tensor expected = recorded.reference["fisher_expected.2.weight"];
  at::Tensor sum = at::zeros_like(expected);
  for (std::int64_t seed = 1; seed <= 200; ++seed) {
    sum += recorded.information(FisherLabels::sampled, seed).at("head.linear.weight");
  }
  const double off = (sum / 200 - expected).norm().item<double>();
  EXPECT_LT(off, 0.05 * expected.norm().item<double>());
  const at::Tensor once = recorded.information(FisherLabels::sampled).at("head.linear.weight");
  EXPECT_GT((once - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
}

TEST(Fisher, OfSomeClassesIsThatOfTheirChoice) {
  Recorded recorded;
  Task two = recorded.task();
  two.classes = ClassColumns({1, 3});
  for (std::int64_t& label : two.train.labels) label = label % 2 == 0 ? 1 : 3;
  const ByName found = by_name(*fisher_information(two, {}, go_on));
  const at::Tensor rows = found.at("head.linear.weight").sum(1);
  EXPECT_EQ(rows[0].item<double>(), 0);
  EXPECT_EQ(rows[2].item<double>(), 0);
  EXPECT_GT(rows[1].item<double>(), 0);
  EXPECT_LT((rows[1] - rows[3]).abs().item<double>(), 1e-6) << "two classes mirror each other";
}

TEST(Fisher, CanBeTakenOfSomeSamplesAndStopped) {
  Recorded recorded;
  std::int64_t seen = 0;
  const auto count = [&](std::int64_t done, std::int64_t all) {
    EXPECT_EQ(all, 7);
    seen = done;
    return true;
  };
  EXPECT_TRUE(fisher_information(recorded.task(), {.samples = 7}, count));
  EXPECT_EQ(seen, 7);
  EXPECT_FALSE(fisher_information(recorded.task(), {},
                                  [](std::int64_t done, std::int64_t) { return done < 3; }));
}

// d log p by central differences, on a graph whose every node moves with the parameters. Float32
// and steps of 0.01 leave a percent or so.
TEST(Fisher, OnAGraphIsThatOfTheWholeScene) {
  World world("inductive_attach", "gcn", {{"layers", 1}, {"hidden", 5}});
  const Task task{.network = world.network,
                  .parameters = world.parameters,
                  .sources = world.sources,
                  .protocol = *world.protocol,
                  .train = world.data.labelled(0, 24),
                  .val = {}};
  const ByName found =
      by_name(*fisher_information(task, {.labels = FisherLabels::empirical}, go_on));
  const auto log_p = [&] {
    const at::Tensor all = at::log_softmax(world.trained(), 1);
    std::vector<double> own;
    for (std::int64_t i = 0; i < 24; ++i) {
      own.push_back(all[i][task.train.labels[static_cast<std::size_t>(i)]].item<double>());
    }
    return own;
  };
  const c10::AutoGradMode no_grad(false);
  constexpr float step = 0.01F;
  for (const auto& [name, tensor] : world.parameters.entries()) {
    float* const value = tensor.data_ptr<float>() + tensor.numel() / 2;
    const float kept = *value;
    *value = kept + step;
    const auto above = log_p();
    *value = kept - step;
    const auto below = log_p();
    *value = kept;
    double expected = 0;
    for (std::size_t i = 0; i < above.size(); ++i) {
      expected += std::pow((above[i] - below[i]) / (2.0 * step), 2) / 24;
    }
    const double got = found.at(name).flatten()[tensor.numel() / 2].item<double>();
    EXPECT_NEAR(got, expected, 0.02 * expected + 1e-6) << name;
    EXPECT_GT(expected, 0) << name;
  }
}

}  // namespace
}  // namespace espalier
