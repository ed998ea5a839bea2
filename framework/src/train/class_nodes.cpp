#include "train/class_nodes.hpp"

#include <espalier/graph/edges.hpp>

namespace espalier {
namespace {

enum ClassRelation : std::int8_t { class_to_sample = 4, sample_to_class = 5, class_to_class = 6 };

}  // namespace

ClassNodes::ClassNodes(const at::Tensor& classes, std::int64_t nearest)
    : classes_(classes), nearest_(nearest) {}

void ClassNodes::join(const at::Tensor& nodes, std::int64_t first, std::vector<Edge>& edges) const {
  if (count() == 0) return;
  const std::size_t before = edges.size();
  attach(nodes, first, edges);
  for (std::size_t e = before, end = edges.size(); e < end; ++e) {
    edges.push_back({.target = edges[e].source,
                     .source = edges[e].target,
                     .weight = edges[e].weight,
                     .relation = sample_to_class});
  }
  const CsrGraph among =
      graph_from_neighbours(classes_->nearest_others(nearest_), "union", Weighting());
  for (const Edge& edge : edges_of(among)) {
    edges.push_back({.target = first + edge.target,
                     .source = first + edge.source,
                     .weight = edge.weight,
                     .relation = class_to_class});
  }
}

void ClassNodes::attach(const at::Tensor& queries, std::int64_t first,
                        std::vector<Edge>& edges) const {
  if (count() == 0) return;
  const CsrGraph found =
      attach_from_neighbours(classes_->nearest(queries, nearest_), count(), Weighting());
  for (const Edge& edge : edges_of(found)) {
    edges.push_back({.target = edge.target,
                     .source = first + edge.source,
                     .weight = edge.weight,
                     .relation = class_to_sample});
  }
}

}  // namespace espalier
