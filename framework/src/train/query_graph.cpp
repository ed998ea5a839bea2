#include "train/query_graph.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <vector>

namespace espalier {
namespace {

// Where the edges of the query's nodes stand in the whole graph, row by row.
struct Rows {
  std::vector<std::int64_t> edges;
  std::vector<std::int64_t> rowptr{0};
};

Rows rows_of(const CsrGraph& whole, std::int64_t query, std::int64_t views) {
  const auto* const rowptr = whole.rowptr.data_ptr<std::int64_t>();
  Rows rows;
  for (std::int64_t v = 0; v < views; ++v) {
    const std::int64_t row = v * (whole.targets / views) + query;
    for (std::int64_t e = rowptr[row]; e < rowptr[row + 1]; ++e) rows.edges.push_back(e);
    rows.rowptr.push_back(std::ssize(rows.edges));
  }
  return rows;
}

}  // namespace

QueryGraph query_graph(const CsrGraph& whole, std::int64_t query, std::int64_t views,
                       std::int64_t support) {
  const Rows rows = rows_of(whole, query, views);
  const auto* const col = whole.col.data_ptr<std::int64_t>();
  std::vector<std::int64_t> sources;
  for (const std::int64_t e : rows.edges) {
    if (col[e] < support) sources.push_back(col[e]);
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  QueryGraph one{.graph = {}, .neighbours = at::tensor(sources, at::kLong)};
  if (whole.sources > support) {
    for (std::int64_t v = 0; v < views; ++v) {
      sources.push_back(support + v * (whole.targets / views) + query);
    }
  }
  const at::Tensor edges = at::tensor(rows.edges, at::kLong);
  one.graph.targets = views;
  one.graph.sources = std::ssize(sources);
  one.graph.rowptr = at::tensor(rows.rowptr, at::kLong);
  one.graph.col = at::empty({edges.numel()}, at::kLong);
  auto* const place = one.graph.col.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < rows.edges.size(); ++i) {
    place[i] =
        std::lower_bound(sources.begin(), sources.end(), col[rows.edges[i]]) - sources.begin();
  }
  one.graph.weight = whole.weight.index_select(0, edges);
  if (whole.relation.defined()) one.graph.relation = whole.relation.index_select(0, edges);
  if (whole.attributes.defined()) {
    one.graph.attributes = whole.attributes.index_select(0, edges);
  }
  one.graph.source_degree = whole.source_degree.index_select(0, at::tensor(sources, at::kLong));
  prepare(one.graph);
  return one;
}

}  // namespace espalier
