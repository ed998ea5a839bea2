#include <espalier/plugin/gnn.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <espalier/testing/gnn_parity.hpp>
#include <filesystem>
#include <numeric>

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

TEST_P(GoldenLayer, OutputGradientsAndAttachedQueriesAreTheReferences) {
  const auto rows = differences(golden::folder(std::string("gnn/") + GetParam()));
  EXPECT_GE(rows.size(), 7U);  // out, loss, attach.out, and the gradients of x, weights, parameters
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

TEST(Gcn, TwoLayersHaveAnActivationBetweenThem) {
  const golden::Case reference("gnn/two-layers-gcn");
  const at::Tensor x = reference["x"];
  Built first = build_gnn("gcn", {{"layers", 1}, {"hidden", 6}}, 12);
  first.parameters.restore({{"layers.0.lin.weight", reference["param.first.lin.weight"]},
                            {"layers.0.bias", reference["param.first.bias"]}});
  Built second = build_gnn("gcn", {{"layers", 1}, {"hidden", 8}}, 6);
  second.parameters.restore({{"layers.0.lin.weight", reference["param.second.lin.weight"]},
                             {"layers.0.bias", reference["param.second.bias"]}});
  const CsrGraph graph =
      golden::graph(reference["canonical.edge_index"], reference["canonical.edge_weight"], 40, 40);
  const at::Tensor out = forward(*second.gnn, forward(*first.gnn, x, graph).clamp_min(0), graph);
  EXPECT_LT(golden::error(out, reference["canonical.out"]), tolerance);

  Built both = build_gnn("gcn", {{"layers", 2}, {"hidden", 6}}, 12);
  Built same = build_gnn("gcn", {{"layers", 1}, {"hidden", 6}}, 6);
  const auto entries = both.parameters.entries();
  first.parameters.restore(
      {{"layers.0.lin.weight", entries[0].second}, {"layers.0.bias", entries[1].second}});
  same.parameters.restore(
      {{"layers.0.lin.weight", entries[2].second}, {"layers.0.bias", entries[3].second}});
  EXPECT_LT(golden::error(forward(*both.gnn, x, graph),
                          forward(*same.gnn, forward(*first.gnn, x, graph).clamp_min(0), graph)),
            tolerance);
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
