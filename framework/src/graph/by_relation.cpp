#include <espalier/graph/by_relation.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/error.hpp>
#include <string>

namespace espalier {
namespace {

void require_relations(const CsrGraph& graph, std::int64_t relations) {
  if (graph.edges() == 0) return;
  if (!graph.relation.defined()) {
    throw Error({.what = "a network looks at relations, and the graph's edges have none",
                 .where = {},
                 .expected = "edges of several kinds",
                 .found = {},
                 .fix = "nodes.fuse: bimodal, or a graph builder that tells relations apart"});
  }
  const auto least = graph.relation.min().item<std::int64_t>();
  const auto most = graph.relation.max().item<std::int64_t>();
  if (least >= 0 && most < relations) return;
  throw Error({.what = "the graph has a relation that the network was not made for",
               .where = {},
               .expected = "0 to " + std::to_string(relations - 1),
               .found = std::to_string(least < 0 ? least : most),
               .fix = "raise gnn's relations"});
}

}  // namespace

CsrGraph by_relation(const CsrGraph& graph, std::int64_t relations) {
  require_relations(graph, relations);
  CsrGraph apart;
  apart.targets = graph.targets * relations;
  apart.sources = graph.sources;
  at::Tensor row = edge_index(graph)->row * relations;
  if (graph.edges() > 0) row = row + graph.relation.to(at::kLong);
  const at::Tensor order = at::argsort(row, /*stable=*/true, 0, false);
  apart.col = graph.col.index_select(0, order);
  apart.weight = graph.weight.index_select(0, order);
  const at::Tensor counts = at::bincount(row, {}, apart.targets);
  apart.rowptr = at::zeros({apart.targets + 1}, graph.rowptr.options());
  apart.rowptr.slice(0, 1).copy_(counts.cumsum(0));
  apart.source_degree = at::zeros({graph.sources}, graph.weight.options().requires_grad(false));
  prepare(apart);
  return apart;
}

}  // namespace espalier
