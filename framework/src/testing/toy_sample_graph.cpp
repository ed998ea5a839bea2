#include "toy_sample_graph_internal.hpp"

#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "toy_encoder_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

at::Tensor pictures_of_nodes() {
  Random random(std::uint64_t{31});
  const at::Tensor shared = toy_input(TowerKind::image).states.slice(0, 0, 2);
  return at::cat({shared, normal_tensor({3, 3, toy_side, toy_side}, random)});
}

}  // namespace

ToySampleGraph::ToySampleGraph(Edges edges) : graph_(empty_graph(5, 5)) {
  if (edges == Edges::none) return;
  Random random(std::uint64_t{32});
  graph_ = random_graph(std::ssize(nodes_), 2.5, random);
  of_query_ = {{0, 1, 0.8F, 0}, {0, 3, 0.5F, 1}, {0, 4, 0.3F, 2}};
}

CsrGraph ToySampleGraph::rows(std::span<const std::int64_t> samples) const {
  std::vector<Edge> edges;
  for (std::int64_t row = 0; row < std::ssize(samples); ++row) {
    const auto node = std::ranges::find(nodes_, samples[static_cast<std::size_t>(row)]);
    const bool query = node == nodes_.end();
    for (Edge edge : query ? of_query_ : edges_of(graph_)) {
      if (!query && edge.target != node - nodes_.begin()) continue;
      edge.target = row;
      edges.push_back(edge);
    }
  }
  CsrGraph graph = graph_from_edges(std::ssize(samples), graph_.sources, std::move(edges),
                                    graph_.relation.defined());
  graph.source_degree = in_degree(graph_);
  return graph;
}

void ToySampleGraph::look(const AdaptableEncoder& encoder) const {
  const VisionTower* tower = encoder.image();
  if (tower == nullptr) return;
  const c10::NoGradGuard no_grad;
  const at::Tensor pictures = pictures_of_nodes();
  for (std::int64_t i = 0; i < pictures.size(0); ++i) {
    (void)tower->advance({pictures.slice(0, i, i + 1), {}, {}}, -1, tower->layers() + 2, {});
  }
}

}  // namespace espalier::conformance
