#include "recorded_sample_graph_internal.hpp"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <numeric>

namespace espalier::conformance {
namespace {

CsrGraph graph_of(std::int64_t targets, std::int64_t sources, const at::Tensor& edge_index,
                  const at::Tensor& edge_weight) {
  const at::Tensor ends = edge_index.to(at::kLong).contiguous();
  const at::Tensor weights = edge_weight.contiguous();
  const std::int64_t count = ends.size(1);
  const auto* const end = ends.data_ptr<std::int64_t>();
  std::vector<Edge> edges;
  for (std::int64_t e = 0; e < count; ++e) {
    edges.push_back(
        {.target = end[count + e], .source = end[e], .weight = weights.data_ptr<float>()[e]});
  }
  return graph_from_edges(targets, sources, std::move(edges));
}

}  // namespace

RecordedSampleGraph::RecordedSampleGraph(const NamedTensors& inputs)
    : pictures_(inputs.at("node_pixel_values")),
      nodes_(static_cast<std::size_t>(pictures_.size(0))),
      graph_(graph_of(pictures_.size(0), pictures_.size(0), inputs.at("edge_index"),
                      inputs.at("edge_weight"))),
      rows_(graph_of(inputs.at("samples").numel(), pictures_.size(0), inputs.at("row_edge_index"),
                     inputs.at("row_edge_weight"))) {
  std::iota(nodes_.begin(), nodes_.end(), std::int64_t{0});
  rows_.source_degree = in_degree(graph_);
}

CsrGraph RecordedSampleGraph::rows(std::span<const std::int64_t> samples) const {
  ESPALIER_ASSERT(std::ssize(samples) == rows_.targets, "the pass that was recorded");
  return rows_;
}

void RecordedSampleGraph::look(const VisionTower& tower) const {
  const c10::NoGradGuard no_grad;
  for (const std::int64_t node : nodes_) {
    const at::Tensor picture = pictures_.slice(0, node, node + 1);
    (void)tower.advance({picture, {}, {}}, -1, tower.layers() + 2, {});
  }
}

}  // namespace espalier::conformance
