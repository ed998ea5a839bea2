#include <espalier/graph/receivers.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

// What each edge has; a graph without edges need not have it.
at::Tensor of_both(at::Tensor CsrGraph::*member, const CsrGraph& first, const CsrGraph& second) {
  if (first.edges() == 0) return second.*member;
  if (second.edges() == 0) return first.*member;
  ESPALIER_ASSERT((first.*member).defined() == (second.*member).defined(),
                  "edges of both graphs have the same");
  return (first.*member).defined() ? at::cat({first.*member, second.*member}) : at::Tensor();
}

}  // namespace

CsrGraph stacked(const CsrGraph& first, const CsrGraph& second) {
  ESPALIER_ASSERT(first.sources == second.sources, "the sources are the same");
  CsrGraph graph;
  graph.targets = first.targets + second.targets;
  graph.sources = first.sources;
  graph.rowptr = at::cat({first.rowptr, second.rowptr.slice(0, 1) + first.edges()});
  graph.col = of_both(&CsrGraph::col, first, second);
  graph.weight = of_both(&CsrGraph::weight, first, second);
  graph.relation = of_both(&CsrGraph::relation, first, second);
  graph.attributes = of_both(&CsrGraph::attributes, first, second);
  graph.source_degree = first.source_degree;
  return graph;
}

CsrGraph with_receivers(const CsrGraph& graph, const CsrGraph& rows) {
  ESPALIER_ASSERT(graph.square(), "messages go among the nodes of the graph");
  CsrGraph all = stacked(graph, rows);
  all.sources = all.targets;
  return all;
}

}  // namespace espalier
