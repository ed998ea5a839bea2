#include <espalier/graph/coefficients.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include <cmath>
#include <espalier/core/error.hpp>

#include "graph/golden.hpp"

namespace espalier {
namespace {

// The reference lists loops among the edges, sorted by target and source.
void expect_coefficients(const golden::Case& reference, const std::string& name, bool weighted) {
  const std::string prefix = (weighted ? "gcn_weighted." : "gcn.") + name;
  at::Tensor weight = reference["graph." + name + ".cosine"];
  if (!weighted) weight = at::zeros_like(weight) + 1;
  const CsrGraph graph = golden::graph(reference["graph." + name + ".edge_index"], weight, 60, 60);
  const MessageWeights got = gcn_coefficients(graph, graph.weight, {});
  const at::Tensor ends = reference[prefix + ".edge_index"];
  const at::Tensor expected = reference[prefix + ".value"];
  std::int64_t edge = 0;
  for (std::int64_t e = 0; e < expected.numel(); ++e) {
    const auto target = ends[1][e].item<std::int64_t>();
    const bool loop = ends[0][e].item<std::int64_t>() == target;
    const at::Tensor value = loop ? got.own[target] : got.edge[edge++];
    EXPECT_NEAR(value.item<float>(), expected[e].item<float>(), 1e-6);
  }
  EXPECT_EQ(edge, graph.edges());
}

TEST(GcnCoefficients, AreTheReferences) {
  const golden::Case reference("gnn/graphs");
  for (const char* name : {"knn_cosine_union", "threshold_0.7"}) {
    expect_coefficients(reference, name, false);
    expect_coefficients(reference, name, true);
  }
}

TEST(GcnCoefficients, ANodeWithoutEdgesKeepsItsStateAndIsNeverNan) {
  const CsrGraph graph = graph_from_edges(2, 2, {});
  EXPECT_EQ(gcn_coefficients(graph, graph.weight, {}).own[0].item<float>(), 1.0F);
  EXPECT_FALSE(gcn_coefficients(graph, graph.weight, {.loop_weight = 0}).own.defined());
}

TEST(GcnCoefficients, NegativeWeightsAreRefused) {
  const CsrGraph graph = graph_from_edges(2, 2, {{0, 1, -0.5F}});
  try {
    (void)gcn_coefficients(graph, graph.weight, {});
    FAIL() << "negative weights were taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("negative weights"));
    EXPECT_THAT(error.what(), testing::HasSubstr("-0.5"));
  }
}

TEST(GcnCoefficients, NegativeWeightsCountAsNoneWhereThatIsAsked) {
  const CsrGraph graph = graph_from_edges(2, 2, {{0, 1, -0.5F}, {1, 0, 0.5F}});
  const MessageWeights clamped = gcn_coefficients(graph, graph.weight, {.negative = "clamp"});
  EXPECT_EQ(clamped.edge[0].item<float>(), 0.0F);
  EXPECT_EQ(clamped.own[0].item<float>(), 1.0F);
  EXPECT_TRUE(scaled_laplacian(graph, graph.weight, "clamp").isfinite().all().item<bool>());
  EXPECT_THROW((void)scaled_laplacian(graph, graph.weight, "refuse"), Error);
}

TEST(GcnCoefficients, OfATargetDependOnItsOwnEdgesAlone) {
  CsrGraph one = graph_from_edges(1, 3, {{0, 1, 0.5F}, {0, 2, 0.25F}});
  CsrGraph two = graph_from_edges(2, 3, {{0, 1, 0.5F}, {0, 2, 0.25F}, {1, 1, 0.9F}});
  one.source_degree = two.source_degree = at::zeros({3}) + 2;
  const at::Tensor alone = gcn_coefficients(one, one.weight, {}).edge;
  const at::Tensor joined = gcn_coefficients(two, two.weight, {}).edge.slice(0, 0, 2);
  EXPECT_TRUE(alone.equal(joined));
  // By hand: 0.5 / sqrt((1 + 0.75) (1 + 2)).
  EXPECT_NEAR(alone[0].item<double>(), 0.5 / std::sqrt(1.75 * 3), 1e-7);
}

}  // namespace
}  // namespace espalier
