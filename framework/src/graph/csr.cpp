#include <espalier/graph/csr.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <string>
#include <tuple>

namespace espalier {
namespace {

[[noreturn]] void broken(const std::string& what, const std::string& found) {
  throw Error({.what = "the graph is not canonical: " + what,
               .where = {},
               .expected = {},
               .found = found,
               .fix = "see graph/csr.hpp for the rules"});
}

void check_row(const CsrGraph& graph, std::int64_t row, std::int64_t begin, std::int64_t end) {
  const auto* col = graph.col.data_ptr<std::int64_t>();
  const auto* weight = graph.weight.data_ptr<float>();
  for (std::int64_t e = begin; e < end; ++e) {
    const auto place = [&] {
      return "row " + std::to_string(row) + ", column " + std::to_string(col[e]);
    };
    if (col[e] < 0 || col[e] >= graph.sources) broken("a column is out of range", place());
    if (e > begin && col[e] <= col[e - 1]) broken("columns do not ascend strictly", place());
    if (graph.square() && col[e] == row) broken("a self-loop", place());
    if (!std::isfinite(weight[e])) broken("a weight is not finite", place());
  }
}

void check_type(const at::Tensor& tensor, at::ScalarType type, std::int64_t length,
                const std::string& name) {
  if (!tensor.defined() || tensor.scalar_type() != type || tensor.dim() != 1) {
    broken(name + " is not a vector of " + std::string(c10::toString(type)), {});
  }
  if (tensor.numel() != length) {
    broken(name + " has not " + std::to_string(length) + " elements",
           std::to_string(tensor.numel()));
  }
  if (!tensor.is_contiguous()) broken(name + " is not contiguous", {});
}

// Positions of the edges of each row, as a running sum.
template <class Rows>
void count_rows(at::Tensor& rowptr, const Rows& row_of, std::int64_t edges) {
  auto* begin = rowptr.data_ptr<std::int64_t>();
  for (std::int64_t e = 0; e < edges; ++e) ++begin[row_of(e) + 1];
  for (std::int64_t i = 1; i < rowptr.numel(); ++i) begin[i] += begin[i - 1];
}

EdgeIndex make_index(const at::Tensor& rowptr, const at::Tensor& col, std::int64_t targets,
                     std::int64_t sources) {
  const std::int64_t edges = col.numel();
  EdgeIndex index{.row = at::empty({edges}, at::kLong),
                  .t_rowptr = at::zeros({sources + 1}, at::kLong),
                  .t_row = at::empty({edges}, at::kLong),
                  .t_edge = at::empty({edges}, at::kLong),
                  .loops = {}};
  const auto* begin = rowptr.data_ptr<std::int64_t>();
  const auto* source = col.data_ptr<std::int64_t>();
  count_rows(
      index.t_rowptr, [&](std::int64_t e) { return source[e]; }, edges);
  const auto* t_begin = index.t_rowptr.data_ptr<std::int64_t>();
  std::vector<std::int64_t> next(t_begin, t_begin + sources);
  auto* const row = index.row.data_ptr<std::int64_t>();
  auto* const t_row = index.t_row.data_ptr<std::int64_t>();
  auto* const t_edge = index.t_edge.data_ptr<std::int64_t>();
  std::vector<std::int64_t> loops;
  for (std::int64_t i = 0; i < targets; ++i) {
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) {
      const std::int64_t k = next[static_cast<std::size_t>(source[e])]++;
      row[e] = i;
      t_row[k] = i;
      t_edge[k] = e;
      if (source[e] == i) loops.push_back(e);
    }
  }
  if (!loops.empty()) index.loops = at::tensor(loops, at::kLong);
  return index;
}

bool same_place(const Edge& a, const Edge& b) {
  return a.target == b.target && a.source == b.source;
}

}  // namespace

CsrGraph empty_graph(std::int64_t targets, std::int64_t sources) {
  return graph_from_edges(targets, sources, {});
}

CsrGraph graph_from_edges(std::int64_t targets, std::int64_t sources, std::vector<Edge> edges,
                          bool relations) {
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return std::tuple(a.target, a.source, -a.weight) < std::tuple(b.target, b.source, -b.weight);
  });
  edges.erase(std::unique(edges.begin(), edges.end(), same_place), edges.end());
  const auto count = static_cast<std::int64_t>(edges.size());
  CsrGraph graph;
  graph.targets = targets;
  graph.sources = sources;
  graph.rowptr = at::zeros({targets + 1}, at::kLong);
  graph.col = at::empty({count}, at::kLong);
  graph.weight = at::empty({count}, at::kFloat);
  if (relations) graph.relation = at::empty({count}, at::kChar);
  const auto at_edge = [&](std::int64_t e) { return edges[static_cast<std::size_t>(e)]; };
  count_rows(
      graph.rowptr, [&](std::int64_t e) { return at_edge(e).target; }, count);
  for (std::int64_t e = 0; e < count; ++e) {
    graph.col.data_ptr<std::int64_t>()[e] = at_edge(e).source;
    graph.weight.data_ptr<float>()[e] = at_edge(e).weight;
    if (relations) graph.relation.data_ptr<std::int8_t>()[e] = at_edge(e).relation;
  }
  return graph;
}

std::vector<Edge> edges_of(const CsrGraph& graph) {
  std::vector<Edge> edges;
  edges.reserve(static_cast<std::size_t>(graph.edges()));
  const auto* begin = graph.rowptr.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < graph.targets; ++i) {
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) {
      const std::int8_t relation =
          graph.relation.defined() ? graph.relation.data_ptr<std::int8_t>()[e] : std::int8_t{0};
      edges.push_back(
          {i, graph.col.data_ptr<std::int64_t>()[e], graph.weight.data_ptr<float>()[e], relation});
    }
  }
  return edges;
}

at::Tensor edge_attributes(const CsrGraph& graph, std::int64_t width) {
  const at::Tensor found =
      graph.attributes.defined() ? graph.attributes : graph.weight.unsqueeze(1);
  if (found.size(1) == width) return found;
  throw Error({.what = "the graph's edges have other attributes than the network was made for",
               .where = {},
               .expected = std::to_string(width) + " numbers an edge, as edge_width says",
               .found = std::to_string(found.size(1)) +
                        (graph.attributes.defined() ? "" : ", the edges' weights"),
               .fix = "set edge_width to the number that the edges have"});
}

at::Tensor in_degree(const CsrGraph& graph) {
  at::Tensor degree = at::zeros({graph.targets}, at::kFloat);
  const at::Tensor rowptr = graph.rowptr.cpu();
  const at::Tensor weight = graph.weight.cpu();
  const auto* row = rowptr.data_ptr<std::int64_t>();
  const auto* w = weight.data_ptr<float>();
  auto* sum = degree.data_ptr<float>();
  for (std::int64_t i = 0; i < graph.targets; ++i) {
    for (std::int64_t e = row[i]; e < row[i + 1]; ++e) sum[i] += w[e];
  }
  return degree.to(graph.weight.device());
}

void check_canonical(const CsrGraph& graph) {
  check_type(graph.rowptr, at::kLong, graph.targets + 1, "rowptr");
  check_type(graph.col, at::kLong, graph.edges(), "col");
  check_type(graph.weight, at::kFloat, graph.edges(), "weight");
  if (graph.relation.defined()) {
    check_type(graph.relation, at::kChar, graph.edges(), "relation");
  }
  if (graph.attributes.defined() &&
      (graph.attributes.dim() != 2 || graph.attributes.size(0) != graph.edges())) {
    broken("attributes are not a row an edge", {});
  }
  const auto* row = graph.rowptr.data_ptr<std::int64_t>();
  if (row[0] != 0 || row[graph.targets] != graph.edges()) {
    broken("rowptr does not span the edges", std::to_string(row[graph.targets]));
  }
  for (std::int64_t i = 0; i < graph.targets; ++i) {
    if (row[i + 1] < row[i] || row[i + 1] > graph.edges()) {
      broken("rowptr does not ascend to the number of edges", "row " + std::to_string(i));
    }
    check_row(graph, i, row[i], row[i + 1]);
  }
}

std::shared_ptr<const EdgeIndex> edge_index(const CsrGraph& graph) {
  if (graph.index) return graph.index;
  EdgeIndex index = make_index(graph.rowptr.cpu(), graph.col.cpu(), graph.targets, graph.sources);
  for (at::Tensor* t : {&index.row, &index.t_rowptr, &index.t_row, &index.t_edge, &index.loops}) {
    if (t->defined()) *t = t->to(graph.col.device());
  }
  return std::make_shared<const EdgeIndex>(std::move(index));
}

void prepare(CsrGraph& graph) { graph.index = edge_index(graph); }

CsrGraph to_device(const CsrGraph& graph, at::Device device) {
  CsrGraph moved = graph;
  moved.index = nullptr;
  for (at::Tensor* t : {&moved.rowptr, &moved.col, &moved.weight, &moved.relation,
                        &moved.attributes, &moved.source_degree, &moved.label}) {
    if (t->defined()) *t = t->to(device);
  }
  prepare(moved);
  return moved;
}

}  // namespace espalier
