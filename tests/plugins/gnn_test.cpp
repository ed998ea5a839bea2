#include <espalier/plugin/gnn.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <espalier/testing/gnn_parity.hpp>
#include <filesystem>
#include <numeric>

#include "graph/golden.hpp"
#include "nn/cases.hpp"
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

Built build_gnn(const std::string& name, const Json& params, std::int64_t width) {
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

// What PyTorch Geometric computes, by the code that `espalier parity` runs.
class GoldenLayer : public testing::TestWithParam<const char*> {
 protected:
  static std::vector<TensorDifference> differences(const std::filesystem::path& folder) {
    return conformance::gnn_parity(folder, Catalog::scan({{ESPALIER_BINARY_DIR "/plugins"}, {}}));
  }
};

// out, loss, gradients, attention where there is any, and attached queries.
TEST_P(GoldenLayer, EverythingIsTheReferences) {
  const auto rows = differences(golden::folder(std::string("gnn/") + GetParam()));
  EXPECT_GE(rows.size(), 7U);
  for (const TensorDifference& row : rows) {
    EXPECT_TRUE(row.ok()) << row.name << " " << row.relative << " " << row.failure;
  }
}
INSTANTIATE_TEST_SUITE_P(Gnn, GoldenLayer,
                         testing::Values("gcn", "gcn-improved", "gcn-no-loops", "two-layers-gcn",
                                         "ga-net", "sage", "sage-max", "gat", "gat-edge", "gatv2",
                                         "gatv2-edge", "gin", "gine", "appnp", "sgc", "gcn2",
                                         "gcn2-unshared", "transformer", "transformer-edge", "rgcn",
                                         "rgcn-bases", "rgcn-blocks", "graph_conv", "gprgnn",
                                         "cheb", "arma", "edge_conv"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// All that was recorded elsewhere, with larger graphs.
TEST_F(GoldenLayer, LargerCasesAreTheReferencesToo) {
  const std::filesystem::path large = cases::large_cases() / "gnn";
  if (!std::filesystem::exists(large)) GTEST_SKIP() << "no large cases; set ESPALIER_DATA_DIR";
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(large)) {
    const std::string name = entry.path().filename().string();
    if (name == "graphs" || name == "ewc") continue;
    ++seen;
    for (const TensorDifference& row : differences(entry.path())) {
      EXPECT_TRUE(row.ok()) << name << " " << row.name << " " << row.relative << " " << row.failure;
    }
  }
  EXPECT_GE(seen, 35U);
}

class DamagedLayer : public GoldenLayer {
 protected:
  DamagedLayer() { std::filesystem::create_directories(folder_); }
  ~DamagedLayer() override { std::filesystem::remove_all(folder_); }

  // A copy of the case `gcn`, whose tensors are changed.
  template <class Change>
  std::filesystem::path changed(Change change) {
    NamedTensors tensors = read_named_tensors(golden::folder("gnn/gcn/expected.safetensors"));
    change(tensors);
    std::filesystem::copy_file(golden::folder("gnn/gcn/meta.json"), folder_ / "meta.json",
                               std::filesystem::copy_options::overwrite_existing);
    write_tensors(folder_ / "expected.safetensors", {tensors.begin(), tensors.end()});
    return folder_;
  }

  const std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                        ("espalier_changed_gcn_" + std::to_string(::getpid()));
};

TEST_F(DamagedLayer, AChangedExpectationIsFound) {
  const auto folder = changed([](NamedTensors& tensors) {
    at::Tensor out = tensors.at("attach.out").clone();
    out[3][2] += 1e-3;
    tensors["attach.out"] = out;
  });
  for (const TensorDifference& row : differences(folder)) {
    EXPECT_EQ(row.ok(), row.name != "attach.out") << row.name;
  }
}

TEST_F(DamagedLayer, EdgesThatEndNowhereAndMissingTensorsAreRefused) {
  using testing_support::error_of;
  const auto outside = [](NamedTensors& tensors) {
    at::Tensor ends = tensors.at("canonical.edge_index").clone();
    ends[0][5] = 40;
    tensors["canonical.edge_index"] = ends;
  };
  EXPECT_THAT(error_of([&] { differences(changed(outside)); }),
              testing::HasSubstr("an edge ends at no node"));
  const auto flat = [](NamedTensors& tensors) { tensors["x"] = tensors.at("x").flatten(); };
  EXPECT_THAT(error_of([&] { differences(changed(flat)); }), testing::HasSubstr("no matrix"));
  const auto without_out = [](NamedTensors& tensors) { tensors.erase("canonical.out"); };
  EXPECT_THAT(error_of([&] { differences(changed(without_out)); }),
              testing::HasSubstr("no canonical.out"));
  const auto without_bias = [](NamedTensors& tensors) { tensors.erase("param.bias"); };
  EXPECT_THAT(error_of([&] { differences(changed(without_bias)); }),
              testing::HasSubstr("no param.bias"));
}

TEST(Stack, OfTwoLayersHasAnActivationBetweenThem) {
  const golden::Case reference("gnn/two-layers-gcn");
  const at::Tensor x = reference["x"];
  const CsrGraph graph =
      golden::graph(reference["canonical.edge_index"], reference["canonical.edge_weight"], 40, 40);
  Built both = build_gnn("gcn", {{"layers", 2}, {"hidden", 6}}, 12);
  Built first = build_gnn("gcn", {{"layers", 1}, {"hidden", 6}}, 12);
  Built second = build_gnn("gcn", {{"layers", 1}, {"hidden", 6}}, 6);
  const auto entries = both.parameters.entries();
  first.parameters.restore(
      {{"layers.0.lin.weight", entries[0].second}, {"layers.0.bias", entries[1].second}});
  second.parameters.restore(
      {{"layers.0.lin.weight", entries[2].second}, {"layers.0.bias", entries[3].second}});
  EXPECT_LT(golden::error(forward(*both.gnn, x, graph),
                          forward(*second.gnn, forward(*first.gnn, x, graph).clamp_min(0), graph)),
            tolerance);
}

// Of states with a mean and a deviation of their own, so that either normalisation shows.
class NormalisedStack : public testing::Test {
 protected:
  static at::Tensor states() {
    const golden::Case reference("gnn/two-layers-gcn");
    return reference["x"] * 3 + 1;
  }
  static Built build(const std::string& norm, bool residual = false) {
    return build_gnn(
        "gcn", {{"layers", 2}, {"norm", norm}, {"residual", residual}, {"activation", "identity"}},
        12);
  }
};

TEST_F(NormalisedStack, LayerNormIsOfEachRowAndResidualAddsWhatCameBefore) {
  const CsrGraph graph = empty_graph(40, 40);  // a node's own state alone passes, by W
  const Built built = build("layer", true);
  const auto p = built.parameters.tensors();
  ASSERT_EQ(p.size(), 6U);  // W_0, b_0, scale, shift, W_1, b_1
  const at::Tensor h = states().matmul(p[0].t()) + p[1];
  const at::Tensor centred = h - h.mean(1, true);
  const at::Tensor normed = centred / (centred.square().mean(1, true) + 1e-5).sqrt();
  const at::Tensor expected = normed.matmul(p[4].t()) + p[5] + h;
  EXPECT_LT(golden::error(forward(*built.gnn, states(), graph), expected), tolerance);
}

TEST_F(NormalisedStack, BatchNormIsOfTheTrainingNodesAlone) {
  const Built built = build("batch");
  CsrGraph graph = empty_graph(40, 40);
  graph.label = at::empty({40}, at::kLong).fill_(-1);
  graph.label.slice(0, 0, 25).fill_(2);
  const auto p = built.parameters.tensors();
  const at::Tensor h = states().matmul(p[0].t()) + p[1];
  const at::Tensor known = h.slice(0, 0, 25);
  const at::Tensor deviation = ((known - known.mean(0)).square().mean(0) + 1e-5).sqrt();
  const at::Tensor expected = ((h - known.mean(0)) / deviation).matmul(p[4].t()) + p[5];
  EXPECT_LT(golden::error(forward(*built.gnn, states(), graph), expected), tolerance);
  at::Tensor moved = states().clone();
  moved.slice(0, 30).mul_(-5);
  const at::Tensor before = forward(*built.gnn, states(), graph).slice(0, 0, 30);
  EXPECT_TRUE(forward(*built.gnn, moved, graph).slice(0, 0, 30).equal(before));
}

TEST(Stack, DropsEdgesInTrainingAloneAndAboutAsManyAsItSays) {
  const std::int64_t n = 2000;
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < n; ++i) edges.push_back({i, (i + 1) % n, 1.0F});
  const CsrGraph graph = graph_from_edges(n, n, std::move(edges));
  std::vector<std::uint64_t> ids(static_cast<std::size_t>(n));
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  const Mode training{.training = true, .dropout = {.key = 1, .rows = ids}};
  const Built built = build_gnn(
      "graph_conv", {{"layers", 1}, {"hidden", 1}, {"drop_edge", 0.3}, {"bias", false}}, 1);
  const auto p = built.parameters.tensors();
  const at::Tensor x = at::empty({n, 1}).fill_(1);
  const at::Tensor whole = forward(*built.gnn, x, graph);
  EXPECT_LT((whole - (p[0] + p[1])).abs().max().item<double>(), 1e-6);
  const at::Tensor thinned = forward(*built.gnn, x, graph, training);
  EXPECT_TRUE(thinned.equal(forward(*built.gnn, x, graph, training)));
  const double kept =
      ((thinned - p[1]) / p[0]).mean().item<double>();  // a row has one edge: 1 or 0
  EXPECT_NEAR(kept, 0.7, 5 * std::sqrt(0.3 * 0.7 / static_cast<double>(n)));
}

TEST(Stack, HeadsThatDoNotFitTheWidthAreRefused) {
  for (const char* name : {"gat", "gatv2", "transformer"}) {
    EXPECT_THAT(testing_support::error_of([&] {
                  (void)build_gnn(name, {{"heads", 3}, {"hidden", 8}}, 4);
                }),
                testing::AllOf(testing::HasSubstr("3 heads"), testing::HasSubstr("concat: false")))
        << name;
    EXPECT_EQ(build_gnn(name, {{"heads", 3}, {"hidden", 8}, {"concat", false}}, 4).gnn->out_width(),
              8);
  }
}

TEST(Rgcn, AGraphWithoutRelationsOrWithTooManyIsRefused) {
  const Built built = build_gnn("rgcn", {{"relations", 2}}, 4);
  const at::Tensor x = at::empty({2, 4}).fill_(1);
  const auto said = [&](std::vector<Edge> edges, bool relations) {
    return testing_support::error_of(
        [&] { (void)forward(*built.gnn, x, graph_from_edges(2, 2, std::move(edges), relations)); });
  };
  EXPECT_THAT(said({{0, 1}}, false), testing::HasSubstr("nodes.fuse: bimodal"));
  EXPECT_THAT(said({{0, 1, 1.0F, 2}}, true), testing::HasSubstr("raise gnn's relations"));
  EXPECT_EQ(said({{0, 1, 1.0F, 1}}, true), "");
  EXPECT_EQ(said({}, false), "");
}

TEST(EdgeWidth, OtherThanTheEdgesHaveIsRefused) {
  const Built built = build_gnn("gat", {{"edge_width", 3}}, 4);
  const at::Tensor x = at::empty({2, 4}).fill_(1);
  EXPECT_THAT(testing_support::error_of([&] {
                (void)forward(*built.gnn, x, graph_from_edges(2, 2, {{0, 1}}));
              }),
              testing::HasSubstr("edge_width"));
}

TEST(NegativeWeights, AreRefusedOrClampedAndNeverNan) {
  const CsrGraph graph = graph_from_edges(3, 3, {{0, 1, -2.0F}, {1, 0, 0.5F}, {2, 1, 1.0F}});
  const at::Tensor x = golden::Case("gnn/gcn")["x"].slice(0, 0, 3);
  for (const char* name : {"gcn", "gcn2", "appnp", "sgc", "gprgnn", "arma", "cheb"}) {
    const Built strict = build_gnn(name, {}, 12);
    EXPECT_THAT(testing_support::error_of([&] { (void)forward(*strict.gnn, x, graph); }),
                testing::HasSubstr("negative_weights: clamp"))
        << name;
    const Built lenient = build_gnn(name, {{"negative_weights", "clamp"}}, 12);
    EXPECT_TRUE(forward(*lenient.gnn, x, graph).isfinite().all().item<bool>()) << name;
  }
  for (const char* name :
       {"sage", "gat", "gatv2", "gin", "transformer", "graph_conv", "edge_conv"}) {
    EXPECT_TRUE(forward(*build_gnn(name, {}, 12).gnn, x, graph).isfinite().all().item<bool>())
        << name;
  }
}

// The fixed point by the inverse, in double: Zhou et al. 2004, equation 3.
TEST(LabelPropagation, IsTheClosedFormAndAttachesWithoutChangingIt) {
  const golden::Case reference("gnn/gcn");
  const at::Tensor x = reference["x"];
  CsrGraph graph =
      golden::graph(reference["canonical.edge_index"], reference["canonical.edge_weight"], 40, 40);
  graph.label = at::empty({40}, at::kLong).fill_(-1);
  for (std::int64_t i = 0; i < 12; ++i) graph.label[i] = i % 3;
  Built built = {testing_support::make<Gnn>("label_propagation", {{"steps", 200}, {"alpha", 0.8}}),
                 {}};
  built.gnn->expect_classes(3);
  Random random(1, "init");
  built.gnn->init(12, built.parameters, random);
  EXPECT_EQ(built.parameters.count(), 0);

  at::Tensor a = at::zeros({40, 40}, at::kDouble);
  for (const Edge& e : edges_of(graph)) a[e.target][e.source] = static_cast<double>(e.weight);
  const at::Tensor degree = a.sum(1);
  const at::Tensor root = at::where(degree > 0, degree.rsqrt(), at::zeros_like(degree));
  const at::Tensor p = root.unsqueeze(1) * a * root;
  at::Tensor y = at::zeros({40, 3}, at::kDouble);
  for (std::int64_t i = 0; i < 12; ++i) y[i][i % 3] = 1;
  const at::Tensor z = at::linalg_inv(at::eye(40, at::kDouble) - p * 0.8).matmul(y) * 0.2;
  const at::Tensor smoothed = z + 1e-6 / 3;
  const at::Tensor expected = (smoothed / smoothed.sum(1, true)).log();
  EXPECT_LT(golden::error(forward(*built.gnn, x, graph).to(at::kDouble), expected), tolerance);
}

TEST(LabelPropagation, HasNoPlaceInsideAnotherNetwork) {
  EXPECT_THAT(testing_support::error_of([] {
                (void)build_gnn("ga_net", {{"layer", "label_propagation"}}, 4);
              }),
              testing::HasSubstr("stands inside another network"));
}

TEST(Gcn, DropoutActsInTrainingAloneAndKeepsTheMean) {
  Built built = build_gnn("gcn", {{"layers", 1}, {"dropout", 0.5}}, 4);
  const CsrGraph graph = empty_graph(2000, 2000);
  const at::Tensor x = at::empty({2000, 4}).fill_(1);
  std::vector<std::uint64_t> ids(2000);
  std::iota(ids.begin(), ids.end(), std::uint64_t{0});
  const Mode training{.training = true, .dropout = {.key = 1, .rows = ids}};
  const at::Tensor still = forward(*built.gnn, x, graph);
  const at::Tensor noisy = forward(*built.gnn, x, graph, training);
  EXPECT_TRUE(noisy.equal(forward(*built.gnn, x, graph, training)));
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
    Built built = build_gnn("ga_net", {{"layer", layer}, {"bottleneck", 4}}, 12);
    EXPECT_TRUE(forward(*built.gnn, reference["x"], graph).equal(reference["x"])) << layer;
  }
}

TEST(Mlp, WithoutLayersIsTheIdentity) {
  const golden::Case reference("gnn/ga-net");
  Built built = build_gnn("mlp", {{"layers", 0}}, 12);
  EXPECT_EQ(built.parameters.count(), 0);
  EXPECT_EQ(built.gnn->out_width(), 12);
  EXPECT_TRUE(forward(*built.gnn, reference["x"], empty_graph(40, 40)).equal(reference["x"]));
}

TEST(Mlp, IsItsLayersByHand) {
  Built built = build_gnn("mlp", {{"layers", 2}, {"hidden", 5}}, 12);
  const at::Tensor x = golden::Case("gnn/ga-net")["x"];
  const auto p = built.parameters.tensors();
  const at::Tensor hidden = (x.matmul(p[0].t()) + p[1]).clamp_min(0);
  EXPECT_LT(
      golden::error(forward(*built.gnn, x, empty_graph(40, 40)), hidden.matmul(p[2].t()) + p[3]),
      1e-6);
}

}  // namespace
}  // namespace espalier
