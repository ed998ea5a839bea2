// Ways in which a graph learns what it should not. Each check is a function that says whether
// something leaks; it is held against what Espalier does, and against the leak, planted here.
#include <ATen/ops/cat.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <espalier/dataset/dataset_check.hpp>
#include <espalier/plugin/captioner.hpp>
#include <functional>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::Data;
using small_world::range;
using small_world::World;

// The same training and validation samples, other queries.
Data with_other_queries() {
  Data data;
  data.x = at::cat({data.x.slice(0, 0, 36), data.x.slice(0, 36).flip({0, 1}) * 2});
  return data;
}

GraphMaker maker_of(const Data& data, const std::string& builder, const Json& params) {
  return {.builder = testing_support::make<GraphBuilder>(builder, params),
          .name = "graph/" + builder,
          .nodes = [&data](std::span<const std::size_t> samples) -> FrozenNodes {
            std::vector<std::int64_t> places(samples.begin(), samples.end());
            return {.nodes = {.x = data.x.index_select(0, at::tensor(places, at::kLong))},
                    .others = {},
                    .texts = {}};
          }};
}

bool same_graph(const CsrGraph& a, const CsrGraph& b) {
  return a.rowptr.equal(b.rowptr) && a.col.equal(b.col) && a.weight.equal(b.weight) &&
         a.facts == b.facts;
}

// Whether the graph that training runs on changes with the queries.
using MakeGraph = std::function<CsrGraph(const Data&)>;
bool queries_leak_into(const MakeGraph& make) {
  const Data data, other = with_other_queries();
  return !same_graph(make(data), make(other));
}

// The training nodes of a graph over all nodes: what is left when queries are hidden afterwards.
CsrGraph hidden_afterwards(const CsrGraph& all, std::int64_t train) {
  std::vector<Edge> edges = edges_of(all);
  std::erase_if(edges, [&](const Edge& e) { return e.target >= train || e.source >= train; });
  CsrGraph graph = graph_from_edges(train, train, std::move(edges));
  graph.facts = all.facts;
  return graph;
}

TEST(Leakage, NeighboursAreNotSoughtAmongQueriesThatAreHiddenAfterwards) {
  const auto real = [](const Data& data) {
    return inductive_attach(data.train, maker_of(data, "knn", {{"k", 4}}))->training().graph;
  };
  const auto leak = [](const Data& data) {
    const NodeGraph all(maker_of(data, "knn", {{"k", 4}}), range(0, 60));
    return hidden_afterwards(all.graph(), 24);
  };
  EXPECT_TRUE(queries_leak_into(leak)) << "queries take places among the four";
  EXPECT_FALSE(queries_leak_into(real));
}

TEST(Leakage, TheThresholdIsOfTrainingPairsAlone) {
  const Json params = {{"tau_from", "degree"}, {"degree", 4}};
  const auto real = [&](const Data& data) {
    const auto protocol = inductive_attach(data.train, maker_of(data, "threshold", params));
    (void)protocol->scenes(data.test);  // which does not move it
    return protocol->training().graph;
  };
  const auto leak = [&](const Data& data) {
    const NodeGraph all(maker_of(data, "threshold", params), range(0, 60));
    return hidden_afterwards(all.graph(), 24);
  };
  EXPECT_TRUE(queries_leak_into(leak)) << "the quantile is over pairs with queries";
  EXPECT_FALSE(queries_leak_into(real));
}

TEST(Leakage, NodesAreNotCentredByTheMeanOfAll) {
  const auto graph = [](const Data& data, bool centred) {
    GraphMaker maker = maker_of(data, "knn", {{"k", 4}});
    const auto nodes = maker.nodes;
    maker.nodes = [=, &data](std::span<const std::size_t> samples) {
      FrozenNodes made = nodes(samples);
      if (centred) made.nodes.x = made.nodes.x - data.x.mean(0);
      return made;
    };
    return inductive_attach(data.train, maker)->training().graph;
  };
  EXPECT_TRUE(queries_leak_into([&](const Data& data) { return graph(data, true); }));
  EXPECT_FALSE(queries_leak_into([&](const Data& data) { return graph(data, false); }));
}

// Whether the logits of a query change with the others that are asked.
using Answer = std::function<at::Tensor(const Samples& queries)>;
bool others_leak_into(const Answer& answer) {
  return !answer({36})[0].equal(answer(range(36, 60))[0]);
}

// Normalises by the statistics of whoever is in the pass, as BatchNorm does in training.
class BatchStatistics final : public Gnn {
 public:
  void init(std::int64_t width, Parameters&, Random&) override { width_ = width; }
  std::int64_t out_width() const override { return width_; }
  std::int64_t depth() const override { return 1; }
  at::Tensor step(std::int64_t, const at::Tensor&, const at::Tensor& targets, const at::Tensor&,
                  const CsrGraph&, const Mode&) const override {
    return targets - targets.mean(0);
  }

 private:
  std::int64_t width_ = 0;
};

TEST(Leakage, StatisticsOfWhoeverIsAskedDoNotReachAQuery) {
  const World world("inductive_attach", "gcn", {{"layers", 1}});
  Parameters parameters;
  const Network network({.fusion = world.fusion,
                         .gnn = std::make_shared<BatchStatistics>(),
                         .gnn_name = "gnn/batch",
                         .head = make_head({}, {}),
                         .node_rows = true},  // which it says wrongly
                        small_world::classes, 1, parameters);
  StateBank bank;
  Evaluation evaluation(network, world.sources, *world.protocol, bank);
  EXPECT_TRUE(others_leak_into([&](const Samples& queries) {
    return evaluation.answers_together(world.protocol->scenes(queries), std::ssize(queries));
  })) << "in one product the mean is over all of them";
  EXPECT_FALSE(others_leak_into([&](const Samples& queries) {
    return evaluation.answers(world.protocol->scenes(queries), std::ssize(queries));
  }));
}

TEST(Leakage, QueriesDoNotSeeEachOther) {
  const auto answers = [](const char* protocol) {
    const auto world = std::make_shared<World>(protocol, "gcn", Json{{"layers", 2}});
    return [world](const Samples& queries) { return world->answers(queries); };
  };
  EXPECT_TRUE(others_leak_into(answers("inductive_batch"))) << "and says so";
  EXPECT_FALSE(others_leak_into(answers("inductive_attach")));
  EXPECT_FALSE(others_leak_into(answers("none")));
}

// Whether the chosen epoch changes with the labels of the queries: a training that chooses by
// `chosen_by`, with these and with other labels of the queries.
bool labels_leak_into_the_choice(bool by_queries) {
  std::vector<std::vector<Parameters::Entry>> best;
  for (const bool other : {false, true}) {
    small_world::AdapterWorld world;
    LabelledSamples queries = world.data.labelled(36, 60);
    if (other) {
      for (std::int64_t& label : queries.labels) label = (label + 1) % small_world::classes;
    }
    Training training(
        {world.network, world.parameters, world.sources, *world.protocol,
         world.data.labelled(0, 24), by_queries ? queries : world.data.labelled(24, 36)},
        small_world::settings(), 1);
    while (!training.finished()) training.next();
    best.push_back(training.best());
  }
  for (std::size_t i = 0; i < best[0].size(); ++i) {
    if (!best[0][i].second.equal(best[1][i].second)) return true;
  }
  return false;
}

TEST(Leakage, TheEpochIsNotChosenByTheQueries) {
  EXPECT_TRUE(labels_leak_into_the_choice(true));
  EXPECT_FALSE(labels_leak_into_the_choice(false));
}

// Whether some caption names the class of its picture.
bool captions_name_classes(const Dataset& data,
                           const std::function<std::string(std::size_t)>& caption) {
  for (std::size_t i = 0; i < data.samples().size(); ++i) {
    const std::string& name = data.class_names()[static_cast<std::size_t>(data.samples()[i].label)];
    if (caption(i).find(name) != std::string::npos) return true;
  }
  return false;
}

TEST(Leakage, CaptionsDoNotNameClasses) {
  const auto data = testing_support::make<Dataset>("flora", Json{{"classes", 6}, {"per_class", 4}});
  const auto captioner = testing_support::make<Captioner>("attributes");
  const auto real = [&](std::size_t i) {
    return captioner->caption(caption_request(*data, i, 1)).text;
  };
  const auto leak = [&](std::size_t i) {
    return real(i) + " " + data->class_names()[static_cast<std::size_t>(data->samples()[i].label)];
  };
  EXPECT_TRUE(captions_name_classes(*data, leak));
  EXPECT_FALSE(captions_name_classes(*data, real));
}

// Two samples of different splits with one row of features.
class Copied final : public Dataset {
 public:
  explicit Copied(bool leak) {
    if (leak) values_[6] = values_[0], values_[7] = values_[1];
    features_.images = {.values = values_, .width = 2};
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<Sample>& samples() const override { return samples_; }
  Image image(std::size_t) const override { return {}; }
  const GivenFeatures* features() const override { return &features_; }

 private:
  std::vector<std::string> names_{"rose", "lily"};
  std::vector<Sample> samples_{
      {"a", 0, Split::train}, {"b", 1, Split::train}, {"c", 0, Split::test}, {"d", 1, Split::test}};
  std::vector<float> values_{1, 0, 0, 1, 1, 1, 2, 5};
  GivenFeatures features_;
};

TEST(Leakage, SamplesInTwoSplitsAreFound) {
  for (const bool leak : {true, false}) {
    const Copied data(leak);
    EXPECT_EQ(check_dataset(data).leaks(data).size(), leak ? 1U : 0U);
  }
}

}  // namespace
}  // namespace espalier
