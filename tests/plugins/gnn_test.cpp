#include <espalier/plugin/gnn.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <gmock/gmock.h>

#include <map>

#include "graph/golden.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing_support::make;

// The golden tolerance: 1e-5 of the tensor's scale; float32 noise is below 1e-6.
constexpr double tolerance = 1e-5;

struct Built {
  std::shared_ptr<Gnn> gnn;
  Parameters parameters;
};

Built build(const std::string& name, const Json& params, std::int64_t width) {
  Built built{make<Gnn>(name, params), {}};
  Random random(1, "init");
  built.gnn->init(width, built.parameters, random);
  return built;
}

at::Tensor forward(const Gnn& gnn, const at::Tensor& x, const CsrGraph& graph,
                   const Mode& mode = {}) {
  const at::Tensor h_0 = gnn.embed(x, mode);
  at::Tensor h = h_0;
  for (std::int64_t l = 0; l < gnn.depth(); ++l) h = gnn.step(l, h, h, h_0, graph, mode);
  return gnn.readout(h, x, mode);
}

at::Tensor attach(const Gnn& gnn, const at::Tensor& x, const CsrGraph& graph,
                  const at::Tensor& queries, const CsrGraph& edges) {
  const at::Tensor s_0 = gnn.embed(x, {});
  const at::Tensor q_0 = gnn.embed(queries, {});
  at::Tensor s = s_0;
  at::Tensor q = q_0;
  for (std::int64_t l = 0; l < gnn.depth(); ++l) {
    q = gnn.step(l, s, q, q_0, edges, {});
    s = gnn.step(l, s, s, s_0, graph, {});
  }
  return gnn.readout(q, queries, {});
}

struct GoldenLayer {
  const char* folder;
  const char* component;
  Json params;
  std::map<std::string, std::string> names;  // ours to the reference's
};

std::ostream& operator<<(std::ostream& out, const GoldenLayer& layer) {
  return out << layer.folder;
}

const std::map<std::string, std::string> one_gcn = {{"layers.0.weight", "lin.weight"},
                                                    {"layers.0.bias", "bias"}};

GoldenLayer layers[] = {
    {"gcn", "gcn", {{"layers", 1}, {"hidden", 8}}, one_gcn},
    {"gcn-improved", "gcn", {{"layers", 1}, {"hidden", 8}, {"improved", true}}, one_gcn},
    {"gcn-no-loops", "gcn", {{"layers", 1}, {"hidden", 8}, {"self_loops", false}}, one_gcn},
    {"ga-net",
     "ga_net",
     {{"layer", {{"use", "gcn"}, {"layers", 1}}}, {"bottleneck", 4}, {"scale", 0.5}},
     {{"down.weight", "down.weight"},
      {"down.bias", "down.bias"},
      {"layer.layers.0.weight", "gnn.lin.weight"},
      {"layer.layers.0.bias", "gnn.bias"},
      {"up.weight", "up.weight"},
      {"up.bias", "up.bias"}}}};

class Golden : public testing::TestWithParam<GoldenLayer> {
 protected:
  Golden()
      : reference_(std::string("gnn/") + GetParam().folder),
        x_(reference_["x"]),
        built_(build(GetParam().component, GetParam().params, x_.size(1))),
        graph_(golden::graph(reference_["canonical.edge_index"],
                             reference_["canonical.edge_weight"], 40, 40)) {
    std::vector<Parameters::Entry> values;
    for (const auto& [ours, theirs] : GetParam().names) {
      values.emplace_back(ours, reference_["param." + theirs]);
    }
    std::vector<Parameters::Entry> ordered;
    for (const auto& [name, tensor] : built_.parameters.entries()) {
      ordered.emplace_back(name, reference_["param." + GetParam().names.at(name)]);
    }
    EXPECT_EQ(ordered.size(), values.size());
    built_.parameters.restore(ordered);
  }

  golden::Case reference_;
  at::Tensor x_;
  Built built_;
  CsrGraph graph_;
};

TEST_P(Golden, OutputAndGradientsAreTheReferences) {
  const at::Tensor x = x_.clone().set_requires_grad(true);
  CsrGraph graph = graph_;
  graph.weight = graph_.weight.clone().set_requires_grad(true);
  const at::Tensor out = forward(*built_.gnn, x, graph);
  EXPECT_LT(golden::error(out, reference_["canonical.out"]), tolerance);
  (out * reference_["canonical.probe"]).sum().backward();
  EXPECT_LT(golden::error(x.grad(), reference_["canonical.grad.x"]), tolerance);
  EXPECT_LT(golden::error(graph.weight.grad(), reference_["canonical.grad.edge_weight"]),
            tolerance);
  for (const auto& [name, tensor] : built_.parameters.entries()) {
    const std::string theirs = "canonical.grad." + GetParam().names.at(name);
    EXPECT_LT(golden::error(tensor.grad(), reference_[theirs]), tolerance) << name;
  }
}

TEST_P(Golden, AttachedQueriesAreTheReferences) {
  const at::Tensor queries = reference_["x_query"];
  CsrGraph edges = golden::graph(reference_["attach.edge_index"], reference_["attach.edge_weight"],
                                 queries.size(0), 40);
  edges.source_degree = in_degree(graph_);
  const at::Tensor out = attach(*built_.gnn, x_, graph_, queries, edges);
  EXPECT_LT(golden::error(out, reference_["attach.out"]), tolerance);
}

TEST_P(Golden, RenumberingNodesRenumbersTheOutput) {
  std::vector<std::int64_t> order(40);
  for (std::int64_t i = 0; i < 40; ++i) order[static_cast<std::size_t>(i)] = (i * 7 + 3) % 40;
  at::Tensor moved = at::empty_like(x_);
  for (std::int64_t i = 0; i < 40; ++i) moved[order[static_cast<std::size_t>(i)]] = x_[i];
  std::vector<Edge> edges = edges_of(graph_);
  for (Edge& edge : edges) {
    edge.target = order[static_cast<std::size_t>(edge.target)];
    edge.source = order[static_cast<std::size_t>(edge.source)];
  }
  const at::Tensor plain = forward(*built_.gnn, x_, graph_);
  const at::Tensor renumbered =
      forward(*built_.gnn, moved, graph_from_edges(40, 40, std::move(edges)));
  for (std::int64_t i = 0; i < 40; ++i) {
    EXPECT_LT(golden::error(renumbered[order[static_cast<std::size_t>(i)]], plain[i]), tolerance);
  }
}
INSTANTIATE_TEST_SUITE_P(Gnn, Golden, testing::ValuesIn(layers), [](const auto& tested) {
  std::string name = tested.param.folder;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Gcn, TwoLayersHaveAnActivationBetweenThem) {
  const golden::Case reference("gnn/two-layers-gcn");
  const at::Tensor x = reference["x"];
  Built first = build("gcn", {{"layers", 1}, {"hidden", 6}}, 12);
  first.parameters.restore({{"layers.0.weight", reference["param.first.lin.weight"]},
                            {"layers.0.bias", reference["param.first.bias"]}});
  Built second = build("gcn", {{"layers", 1}, {"hidden", 8}}, 6);
  second.parameters.restore({{"layers.0.weight", reference["param.second.lin.weight"]},
                             {"layers.0.bias", reference["param.second.bias"]}});
  const CsrGraph graph =
      golden::graph(reference["canonical.edge_index"], reference["canonical.edge_weight"], 40, 40);
  const at::Tensor out = forward(*second.gnn, forward(*first.gnn, x, graph).clamp_min(0), graph);
  EXPECT_LT(golden::error(out, reference["canonical.out"]), tolerance);

  Built both = build("gcn", {{"layers", 2}, {"hidden", 6}}, 12);
  Built same = build("gcn", {{"layers", 1}, {"hidden", 6}}, 6);
  const auto entries = both.parameters.entries();
  first.parameters.restore(
      {{"layers.0.weight", entries[0].second}, {"layers.0.bias", entries[1].second}});
  same.parameters.restore(
      {{"layers.0.weight", entries[2].second}, {"layers.0.bias", entries[3].second}});
  EXPECT_LT(golden::error(forward(*both.gnn, x, graph),
                          forward(*same.gnn, forward(*first.gnn, x, graph).clamp_min(0), graph)),
            tolerance);
}

TEST(Gcn, DropoutActsInTrainingAloneAndKeepsTheMean) {
  Built built = build("gcn", {{"layers", 1}, {"dropout", 0.5}}, 4);
  const CsrGraph graph = empty_graph(2000, 2000);
  const at::Tensor x = at::empty({2000, 4}).fill_(1);
  Random random(1, "dropout");
  Random again(1, "dropout");
  const at::Tensor still = forward(*built.gnn, x, graph);
  const at::Tensor noisy = forward(*built.gnn, x, graph, {.training = true, .dropout = &random});
  EXPECT_TRUE(noisy.equal(forward(*built.gnn, x, graph, {.training = true, .dropout = &again})));
  EXPECT_FALSE(noisy.equal(still));
  // Of 2000 draws a unit: five standard errors of the mean are about 0.11 of the largest weight
  // sum.
  EXPECT_LT((noisy.mean(0) - still.mean(0)).abs().max().item<double>(), 0.25);
}

TEST(GaNet, BeginsAsTheIdentity) {
  const golden::Case reference("gnn/ga-net");
  const CsrGraph graph =
      golden::graph(reference["canonical.edge_index"], reference["canonical.edge_weight"], 40, 40);
  for (const char* layer : {"gcn", "mlp"}) {
    Built built = build("ga_net", {{"layer", layer}, {"bottleneck", 4}}, 12);
    EXPECT_TRUE(forward(*built.gnn, reference["x"], graph).equal(reference["x"])) << layer;
  }
}

TEST(Mlp, WithoutLayersIsTheIdentity) {
  const golden::Case reference("gnn/ga-net");
  Built built = build("mlp", {{"layers", 0}}, 12);
  EXPECT_EQ(built.parameters.count(), 0);
  EXPECT_EQ(built.gnn->out_width(), 12);
  EXPECT_TRUE(forward(*built.gnn, reference["x"], empty_graph(40, 40)).equal(reference["x"]));
}

TEST(Mlp, IsItsLayersByHand) {
  Built built = build("mlp", {{"layers", 2}, {"hidden", 5}}, 12);
  const at::Tensor x = golden::Case("gnn/ga-net")["x"];
  const auto p = built.parameters.tensors();
  const at::Tensor hidden = (x.matmul(p[0].t()) + p[1]).clamp_min(0);
  EXPECT_LT(
      golden::error(forward(*built.gnn, x, empty_graph(40, 40)), hidden.matmul(p[2].t()) + p[3]),
      1e-6);
}

}  // namespace
}  // namespace espalier
