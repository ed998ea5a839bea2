// Queries of a rectangular graph, taken out of it: one, or a block of them.
#pragma once

#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>
#include <span>

namespace espalier {

struct QueryGraph {
  // The query's nodes as targets. Its sources are those of `neighbours`, in their order, and behind
  // them, where the whole graph has such, the query's nodes themselves.
  CsrGraph graph;
  at::Tensor neighbours;  // int64, ascending: the support's nodes with an edge to the query
};

// `whole` is as NodeGraph::attach() gives it for queries of `views` nodes each, of a support with
// so many nodes.
[[nodiscard]] QueryGraph query_graph(const CsrGraph& whole, std::int64_t query, std::int64_t views,
                                     std::int64_t support);

// Several of them at once, any as often as it is listed: targets are their nodes, view by view, and
// sources all of the support's, behind them those of the queries where the whole graph has such. So
// many queries have a graph of one size, whoever they are.
[[nodiscard]] CsrGraph query_block(const CsrGraph& whole, std::span<const std::int64_t> queries,
                                   std::int64_t views, std::int64_t support);

}  // namespace espalier
