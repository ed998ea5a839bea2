#include "train/labelled_protocol.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::Data;
using small_world::World;

// Samples 0 to 23 are trained on, 24 to 59 asked.
class WithLabels : public testing::Test {
 protected:
  static std::unique_ptr<Protocol> labelled(const World& world, const std::string& name) {
    return with_labels(world.protocol_of(name, 1), world.data.labelled(0, 24), 1);
  }
  static std::vector<std::int64_t> numbers(const at::Tensor& label) {
    return {label.data_ptr<std::int64_t>(), label.data_ptr<std::int64_t>() + label.numel()};
  }
  // Those of a scene's nodes that are training samples; of every other one -1.
  static void expect_only_training_labels(const Data& data, const std::vector<std::size_t>& nodes,
                                          const std::vector<std::int64_t>& labels) {
    ASSERT_EQ(nodes.size(), labels.size());
    const auto known = data.labels(0, 24);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      EXPECT_EQ(labels[i], nodes[i] < 24 ? known[nodes[i]] : -1) << nodes[i];
    }
  }
};

TEST_F(WithLabels, TheTrainingSceneKnowsTrainingLabelsAlone) {
  for (const char* name : {"none", "inductive_attach", "inductive_batch", "transductive"}) {
    const World world(name, "gcn", {});
    const auto protocol = labelled(world, name);
    const Scene& scene = protocol->training();
    expect_only_training_labels(world.data, scene.samples, numbers(scene.graph.label));
  }
}

TEST_F(WithLabels, QueriesHaveNone) {
  for (const char* name : {"none", "inductive_attach", "inductive_batch"}) {
    const World world(name, "gcn", {});
    for (const Scene& scene : labelled(world, name)->scenes(world.data.test)) {
      const auto labels = numbers(scene.graph.label);
      if (scene.standing == Standing::attached) {
        expect_only_training_labels(world.data, world.data.train, labels);
      } else {
        expect_only_training_labels(world.data, scene.samples, labels);
      }
    }
  }
}

TEST_F(WithLabels, BothNodesOfASampleHaveItsLabel) {
  const World world("transductive", "gcn", {});
  auto two = no_graph(world.data.train, 2);
  const auto protocol = with_labels(std::move(two), world.data.labelled(0, 24), 2);
  auto labels = numbers(protocol->training().graph.label);
  ASSERT_EQ(labels.size(), 48U);
  EXPECT_TRUE(std::equal(labels.begin(), labels.begin() + 24, labels.begin() + 24));
}

TEST_F(WithLabels, PropagationAnswersByTheNeighboursLabels) {
  const World world("inductive_attach", "gcn", {});
  Parameters parameters;
  const Network network(
      {world.fusion, testing_support::make<Gnn>("label_propagation", Json::object()),
       "gnn/label_propagation", no_head()},
      small_world::classes, 1, parameters);
  EXPECT_TRUE(parameters.entries().empty());
  const auto protocol = labelled(world, "inductive_attach");
  StateBank bank;
  const at::Tensor answers = Evaluation(network, world.sources, *protocol, bank)
                                 .answers(protocol->scenes(world.data.test), 24);
  const auto truth = world.data.labels(36, 60);
  const auto guessed = numbers(answers.argmax(1).contiguous());
  int right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) right += truth[i] == guessed[i] ? 1 : 0;
  EXPECT_GE(right, 18);  // of 24 in 4 classes
  EXPECT_NEAR(answers.exp().sum().item<double>(), 24, 1e-3);
}

}  // namespace
}  // namespace espalier
