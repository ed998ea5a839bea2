#include <espalier/graph/drop_edge.hpp>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <espalier/nn/dropout.hpp>
#include <string>
#include <vector>

namespace espalier {
namespace {

void require_an_id_a_node(const CsrGraph& graph, const Mode& mode, std::string_view site) {
  if (graph.square() && graph.targets == std::ssize(mode.dropout.rows)) return;
  throw Error({.what = "edges are dropped in a pass over other nodes than those of the graph",
               .where = std::string(site),
               .expected = "a square graph of " + std::to_string(mode.dropout.rows.size()),
               .found = std::to_string(graph.targets) + " targets, " +
                        std::to_string(graph.sources) + " sources",
               .fix = {}});
}

at::Tensor chosen(const at::Tensor& values, const at::Tensor& kept) {
  return values.defined() ? values.index_select(0, kept) : values;
}

}  // namespace

CsrGraph drop_edges(const CsrGraph& graph, double p, const Mode& mode, std::string_view site) {
  if (!mode.training || p == 0) return graph;
  require_an_id_a_node(graph, mode, site);
  const std::uint64_t key = step_random(mode, site).bits();
  const at::Tensor rowptr = graph.rowptr.cpu();
  const at::Tensor col = graph.col.cpu();
  const auto* const begin = rowptr.data_ptr<std::int64_t>();
  const auto* const source = col.data_ptr<std::int64_t>();
  at::Tensor ends = at::empty({graph.targets + 1}, at::kLong);
  auto* const end = ends.data_ptr<std::int64_t>();
  std::vector<std::int64_t> kept;
  end[0] = 0;
  for (std::int64_t i = 0; i < graph.targets; ++i) {
    const std::uint64_t row = Random(key ^ mode.dropout.rows[static_cast<std::size_t>(i)]).bits();
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) {
      const std::uint64_t id = mode.dropout.rows[static_cast<std::size_t>(source[e])];
      if (Random(row ^ id).uniform() >= p) kept.push_back(e);
    }
    end[i + 1] = std::ssize(kept);
  }
  const at::Tensor places = at::tensor(kept, at::kLong).to(graph.col.device());
  CsrGraph thinner = graph;
  thinner.index = nullptr;
  thinner.rowptr = ends.to(graph.rowptr.device());
  thinner.col = chosen(graph.col, places);
  thinner.weight = chosen(graph.weight, places);
  thinner.relation = chosen(graph.relation, places);
  thinner.attributes = chosen(graph.attributes, places);
  prepare(thinner);
  return thinner;
}

}  // namespace espalier
