#include "train/query_graph.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace espalier {
namespace {

// Some rows of a rectangular graph: where their edges stand in it, and which rows they are.
struct Rows {
  std::vector<std::int64_t> edges;
  std::vector<std::int64_t> rowptr{0};
  std::vector<std::int64_t> nodes;
};

// Of all views of the queries, view by view.
Rows rows_of(const CsrGraph& whole, std::span<const std::int64_t> queries, std::int64_t views) {
  const auto* const rowptr = whole.rowptr.data_ptr<std::int64_t>();
  Rows rows;
  for (std::int64_t v = 0; v < views; ++v) {
    for (const std::int64_t query : queries) {
      const std::int64_t row = v * (whole.targets / views) + query;
      for (std::int64_t e = rowptr[row]; e < rowptr[row + 1]; ++e) rows.edges.push_back(e);
      rows.rowptr.push_back(std::ssize(rows.edges));
      rows.nodes.push_back(row);
    }
  }
  return rows;
}

// The rows with `sources` of the whole graph's, place(row, e) being that of edge e's among them.
template <class Place>
CsrGraph graph_of(const CsrGraph& whole, const Rows& rows, std::vector<std::int64_t> sources,
                  const Place& place) {
  const at::Tensor edges = at::tensor(rows.edges, at::kLong);
  CsrGraph graph;
  graph.targets = std::ssize(rows.nodes);
  graph.sources = std::ssize(sources);
  graph.rowptr = at::tensor(rows.rowptr, at::kLong);
  graph.col = at::empty({edges.numel()}, at::kLong);
  auto* col = graph.col.data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < graph.targets; ++row) {
    const auto r = static_cast<std::size_t>(row);
    for (std::int64_t k = rows.rowptr[r]; k < rows.rowptr[r + 1]; ++k) {
      *col++ = place(row, rows.edges[static_cast<std::size_t>(k)]);
    }
  }
  graph.weight = whole.weight.index_select(0, edges);
  if (whole.relation.defined()) graph.relation = whole.relation.index_select(0, edges);
  if (whole.attributes.defined()) graph.attributes = whole.attributes.index_select(0, edges);
  graph.source_degree = whole.source_degree.index_select(0, at::tensor(sources, at::kLong));
  prepare(graph);
  return graph;
}

// Behind the support's nodes the queries' own, where the whole graph has such.
void append_own(std::vector<std::int64_t>& sources, const CsrGraph& whole, const Rows& rows,
                std::int64_t support) {
  if (whole.sources == support) return;
  for (const std::int64_t node : rows.nodes) sources.push_back(support + node);
}

}  // namespace

QueryGraph query_graph(const CsrGraph& whole, std::int64_t query, std::int64_t views,
                       std::int64_t support) {
  const Rows rows = rows_of(whole, std::span(&query, 1), views);
  const auto* const col = whole.col.data_ptr<std::int64_t>();
  std::vector<std::int64_t> sources;
  for (const std::int64_t e : rows.edges) {
    if (col[e] < support) sources.push_back(col[e]);
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  at::Tensor neighbours = at::tensor(sources, at::kLong);
  append_own(sources, whole, rows, support);
  const auto place = [&, sources](std::int64_t, std::int64_t e) {
    return std::lower_bound(sources.begin(), sources.end(), col[e]) - sources.begin();
  };
  return {.graph = graph_of(whole, rows, sources, place), .neighbours = std::move(neighbours)};
}

// A query's only edges from nodes behind the support come from its own other nodes.
CsrGraph query_block(const CsrGraph& whole, std::span<const std::int64_t> queries,
                     std::int64_t views, std::int64_t support) {
  const Rows rows = rows_of(whole, queries, views);
  std::vector<std::int64_t> sources(static_cast<std::size_t>(support));
  std::iota(sources.begin(), sources.end(), std::int64_t{0});
  append_own(sources, whole, rows, support);
  const auto* const col = whole.col.data_ptr<std::int64_t>();
  const std::int64_t all = whole.targets / views, some = std::ssize(queries);
  const auto place = [&](std::int64_t row, std::int64_t e) {
    return col[e] < support ? col[e] : support + (col[e] - support) / all * some + row % some;
  };
  return graph_of(whole, rows, std::move(sources), place);
}

}  // namespace espalier
