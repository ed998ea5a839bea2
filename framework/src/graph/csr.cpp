#include <espalier/graph/csr.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/error.hpp>
#include <string>

namespace espalier {
namespace {

[[noreturn]] void broken(const std::string& what, const std::string& found) {
  throw Error({.what = "the graph is not canonical: " + what, .where = {}, .expected = {},
               .found = found, .fix = "see graph/csr.hpp for the rules"});
}

void check_row(const CsrGraph& graph, std::int64_t row, std::int64_t begin, std::int64_t end) {
  const auto* col = graph.col.data_ptr<std::int64_t>();
  for (std::int64_t e = begin; e < end; ++e) {
    const std::string place = "row " + std::to_string(row) + ", column " + std::to_string(col[e]);
    if (col[e] < 0 || col[e] >= graph.sources) broken("a column is out of range", place);
    if (e > begin && col[e] <= col[e - 1]) broken("columns do not ascend strictly", place);
    if (graph.square() && col[e] == row) broken("a self-loop", place);
  }
}

}  // namespace

CsrGraph empty_graph(std::int64_t targets, std::int64_t sources) {
  CsrGraph graph;
  graph.targets = targets;
  graph.sources = sources;
  graph.rowptr = at::zeros({targets + 1}, at::kLong);
  graph.col = at::empty({0}, at::kLong);
  graph.weight = at::empty({0}, at::kFloat);
  return graph;
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
  if (graph.rowptr.numel() != graph.targets + 1) {
    broken("rowptr has the wrong length", std::to_string(graph.rowptr.numel()));
  }
  if (graph.weight.numel() != graph.edges()) {
    broken("weights and columns differ in number", std::to_string(graph.weight.numel()));
  }
  const auto* row = graph.rowptr.data_ptr<std::int64_t>();
  if (row[0] != 0 || row[graph.targets] != graph.edges()) {
    broken("rowptr does not span the edges", std::to_string(row[graph.targets]));
  }
  for (std::int64_t i = 0; i < graph.targets; ++i) {
    if (row[i + 1] < row[i]) broken("rowptr descends", "row " + std::to_string(i));
    check_row(graph, i, row[i], row[i + 1]);
  }
}

}  // namespace espalier
