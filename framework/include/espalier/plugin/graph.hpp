// Kind `graph`: node features to a graph, and queries to edges into an existing graph.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string_view>

namespace espalier {

// Builders read features and nothing else; no labels, no split.
//
// Capabilities: `edge_weight` (weights other than 1), `symmetric` (build() gives i->j iff j->i),
// `seeded` (uses the stream `graph`).
class GraphBuilder {
 public:
  using Interface = GraphBuilder;
  static constexpr std::string_view kind = "graph";

  virtual ~GraphBuilder();

  // Edges among the nodes: features float32 [n, d], any n >= 0. Canonical and square.
  [[nodiscard]] virtual CsrGraph build(const at::Tensor& features) const = 0;
  // Edges from support nodes [n, d] to queries [q, d], each row by the query and the support alone.
  // `source_degree` is left undefined; the caller knows the support's graph.
  [[nodiscard]] virtual CsrGraph attach(const at::Tensor& support,
                                        const at::Tensor& queries) const = 0;
};

}  // namespace espalier
