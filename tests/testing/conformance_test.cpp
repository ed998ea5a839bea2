#include <espalier/testing/conformance.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/graph/spmm.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>
#include <espalier/plugin/graph.hpp>

#include "testing/toy_component.hpp"

// Components that are right but for one thing, and the property that must notice.
namespace espalier {
namespace {

using conformance::Finding;
using conformance::State;
using testing::HasSubstr;
using testing_support::expect_violation;
using testing_support::find;
using testing_support::info;

// A right network: h + W (sum of the neighbours). Each subclass spoils one thing.
class Right : public Gnn {
 public:
  void init(std::int64_t width, Parameters& parameters, Random& random) override {
    width_ = width;
    weight_ = parameters.add("weight", glorot_uniform({width, width}, random));
  }
  [[nodiscard]] std::int64_t out_width() const override { return width_; }
  [[nodiscard]] std::int64_t depth() const override { return 2; }
  [[nodiscard]] at::Tensor step(std::int64_t, const at::Tensor& sources, const at::Tensor& targets,
                                const at::Tensor&, const CsrGraph& graph,
                                const Mode&) const override {
    return targets + messages(sources, graph).matmul(weight_);
  }

 protected:
  static at::Tensor messages(const at::Tensor& sources, const CsrGraph& graph) {
    return spmm(graph, graph.weight.to(sources.scalar_type()), sources);
  }
  std::int64_t width_ = 0;
  at::Tensor weight_;
};

class KnowsPlaces : public Right {
  at::Tensor step(std::int64_t layer, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor& targets_0, const CsrGraph& graph,
                  const Mode& mode) const override {
    const at::Tensor y = Right::step(layer, sources, targets, targets_0, graph, mode);
    return y.size(0) == 0 ? y : at::cat({y.slice(0, 0, 1) * 2, y.slice(0, 1)});
  }
};

class DetachesMessages : public Right {
  at::Tensor step(std::int64_t, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor&, const CsrGraph& graph, const Mode&) const override {
    return targets + messages(sources.detach(), graph).matmul(weight_);
  }
};

class ForgetsAParameter : public Right {
  void init(std::int64_t width, Parameters& parameters, Random& random) override {
    Right::init(width, parameters, random);
    parameters.add("unused", at::ones({3}));
  }
};

class WritesToItsInput : public Right {
  at::Tensor embed(const at::Tensor& x, const Mode&) const override {
    at::Tensor mine = x.detach();
    mine.mul_(2);
    return x + 0;
  }
};

class IsLouderInTraining : public Right {
  at::Tensor embed(const at::Tensor& x, const Mode& mode) const override {
    return mode.training ? x * 1.1 : x;
  }
};

class ReadsItsInputInSecret : public Right {
  [[nodiscard]] bool reads_input() const override { return false; }
  [[nodiscard]] at::Tensor readout(const at::Tensor& h, const at::Tensor& x,
                                   const Mode&) const override {
    return x.defined() ? h + x : h;
  }
};

class DrawsFromTheGlobalGenerator : public Right {
  at::Tensor embed(const at::Tensor& x, const Mode&) const override {
    return x + 0 * at::rand(x.sizes(), x.options());
  }
};

class DividesByDegree : public Right {
  at::Tensor step(std::int64_t, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor&, const CsrGraph& graph, const Mode&) const override {
    const at::Tensor degree = in_degree(graph).to(sources.scalar_type()).unsqueeze(1);
    return targets + (messages(sources, graph) / degree).matmul(weight_);
  }
};

// Normalises by the number of nodes, which attaching changes.
class CountsNodes : public Right {
  at::Tensor step(std::int64_t, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor&, const CsrGraph& graph, const Mode&) const override {
    const auto count = static_cast<double>(std::max<std::int64_t>(1, graph.sources));
    return targets + messages(sources, graph).matmul(weight_) / count;
  }
};

class OtherEachTime : public Right {
  void init(std::int64_t width, Parameters& parameters, Random& random) override {
    static std::uint64_t calls = 0;
    for (std::uint64_t i = 0; i < calls; ++i) (void)random.bits();
    ++calls;
    Right::init(width, parameters, random);
  }
};

// An edge where the inner product is positive.
CsrGraph positive(const at::Tensor& targets, const at::Tensor& sources, bool same) {
  const at::Tensor products = targets.matmul(sources.t()).contiguous();
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < targets.size(0); ++i) {
    for (std::int64_t j = 0; j < sources.size(0); ++j) {
      const float value = products.data_ptr<float>()[i * sources.size(0) + j];
      if (value > 0 && !(same && i == j)) edges.push_back({i, j, 1, 0});
    }
  }
  return graph_from_edges(targets.size(0), sources.size(0), std::move(edges));
}

class RightGraph : public GraphBuilder {
 public:
  [[nodiscard]] std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const override {
    return std::make_unique<Support>(*this, nodes.features);
  }

 protected:
  [[nodiscard]] virtual CsrGraph build(const at::Tensor& x) const { return positive(x, x, true); }
  [[nodiscard]] virtual CsrGraph attach(const at::Tensor& support,
                                        const at::Tensor& queries) const {
    return positive(queries, support, false);
  }

 private:
  class Support : public GraphSupport {
   public:
    Support(const RightGraph& builder, at::Tensor x)
        : builder_(builder), x_(std::move(x)), graph_(builder.build(x_)) {}
    [[nodiscard]] const CsrGraph& graph() const override { return graph_; }
    [[nodiscard]] CsrGraph attach(const GraphInput& queries) const override {
      return builder_.attach(x_, queries.features);
    }

   private:
    const RightGraph& builder_;
    at::Tensor x_;
    CsrGraph graph_;
  };
};

class KeepsSelfLoops : public RightGraph {
  CsrGraph build(const at::Tensor& x) const override { return positive(x, x, false); }
};

class CentresQueries : public RightGraph {
  CsrGraph attach(const at::Tensor& support, const at::Tensor& queries) const override {
    return queries.size(0) == 0 ? positive(queries, support, false)
                                : positive(queries - queries.mean(0), support, false);
  }
};

class FirstNodeIsCentre : public RightGraph {
  CsrGraph build(const at::Tensor& x) const override {
    std::vector<Edge> edges;
    for (std::int64_t i = 1; i < x.size(0); ++i) edges.push_back({i, 0, 1, 0});
    return graph_from_edges(x.size(0), x.size(0), std::move(edges));
  }
};

class FailsWithoutNodes : public RightGraph {
  CsrGraph build(const at::Tensor& x) const override {
    (void)x.select(0, 0);
    return RightGraph::build(x);
  }
};

class ForgetsFirstQueries : public RightGraph {
  CsrGraph attach(const at::Tensor& support, const at::Tensor& queries) const override {
    if (++calls_ > 1) return empty_graph(queries.size(0), support.size(0));
    return RightGraph::attach(support, queries);
  }
  mutable int calls_ = 0;
};

class ReadsTheOtherModality : public RightGraph {
 public:
  [[nodiscard]] std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const override {
    return RightGraph::support({.features = nodes.other});
  }
};

const std::vector<std::string> all_of_gnn = {"bipartite", "edge_weight", "graph"};

TEST(Conformance, HoldsForRightComponents) {
  for (const conformance::Property& property : conformance::properties("gnn")) {
    const Finding finding = find<Right>(property.name, all_of_gnn);
    EXPECT_NE(finding.state, State::violated) << property.name << ": " << finding.message;
  }
  for (const conformance::Property& property : conformance::properties("graph")) {
    const Finding finding = find<RightGraph>(property.name, {"symmetric"});
    EXPECT_NE(finding.state, State::violated) << property.name << ": " << finding.message;
  }
}

TEST(Conformance, NoticesWhatIsWrongWithANetwork) {
  expect_violation<KnowsPlaces>("permutation_equivariance", all_of_gnn, "another order");
  expect_violation<DetachesMessages>("right_gradients", all_of_gnn, "difference quotient");
  expect_violation<ForgetsAParameter>("right_gradients", all_of_gnn, "unused gets no gradient");
  expect_violation<WritesToItsInput>("leaves_inputs_alone", all_of_gnn, "changes the node states");
  expect_violation<ReadsItsInputInSecret>("input_as_declared", all_of_gnn, "without the input");
  expect_violation<IsLouderInTraining>("training_differs_by_draws_alone", all_of_gnn,
                                       "draws nothing");
  expect_violation<DrawsFromTheGlobalGenerator>("sound_outputs", all_of_gnn, "global generator");
  expect_violation<DividesByDegree>("sound_outputs", all_of_gnn, "not finite");
  expect_violation<CountsNodes>("attaching_equals_the_whole", all_of_gnn, "attached nodes");
  expect_violation<OtherEachTime>("repeatable_initialisation", all_of_gnn, "same seed");
}

TEST(Conformance, HoldsANetworkToItsCapabilities) {
  expect_violation<Right>("edges_as_declared", {"edge_weight"}, "edges matter");
  expect_violation<Right>("weights_as_declared", {"graph"}, "weights matter");
  expect_violation<Right>("identity_as_declared", {"identity_at_init"}, "changes its input");
  expect_violation<Right>("known_capabilities", {"grahp"}, "grahp");
  EXPECT_EQ(find<Right>("attaching_equals_the_whole", {"graph"}).state, State::skipped);
}

TEST(Conformance, NoticesWhatIsWrongWithAGraph) {
  expect_violation<KeepsSelfLoops>("canonical_graphs", {}, "self-loop");
  expect_violation<CentresQueries>("queries_do_not_meet", {}, "other queries");
  expect_violation<FirstNodeIsCentre>("permutation_equivariance", {}, "another order");
  expect_violation<FirstNodeIsCentre>("symmetric_as_declared", {"symmetric"}, "no opposite");
  expect_violation<FailsWithoutNodes>("canonical_graphs", {}, "");
  expect_violation<ForgetsFirstQueries>("attaching_leaves_the_graph_alone", {}, "after others");
}

TEST(Conformance, GivesAGraphWhatItDeclaresToNeed) {
  for (const std::string property : {"canonical_graphs", "permutation_equivariance"}) {
    EXPECT_EQ(find<ReadsTheOtherModality>(property, {"needs_other"}).state, State::holds);
    EXPECT_EQ(find<ReadsTheOtherModality>(property, {}).state, State::violated);
  }
}

// Whatever a constructor throws is a finding.
TEST(Conformance, SurvivesWhatAComponentThrows) {
  const auto throws = [](auto what) {
    return [what](std::string_view, const Json&, const RunContext&) -> std::shared_ptr<void> {
      throw what;
    };
  };
  const ComponentInfo gnn = info("gnn", all_of_gnn);
  EXPECT_EQ(find("sound_outputs", gnn, throws(std::runtime_error("no"))).message, "no");
  EXPECT_EQ(find("sound_outputs", gnn, throws(42)).state, State::violated);
}

}  // namespace
}  // namespace espalier
