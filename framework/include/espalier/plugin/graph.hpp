// Kind `graph`: node features to a graph, and queries to edges into an existing graph.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace espalier {

// What a builder may read of n nodes: no labels, no split.
struct GraphInput {
  at::Tensor features;  // float32 [n, d], what the nodes hold
  // float32 [n, e], where `needs_other` is declared, else undefined: features of the modality that
  // the nodes do not hold; of nodes that hold both, those of the texts.
  at::Tensor other = {};
  // n captions where `needs_texts` is declared, else none. To be read during the call alone.
  std::span<const std::string> texts = {};

  [[nodiscard]] std::int64_t nodes() const { return features.size(0); }
};

// Nodes with their graph, to which queries can be attached: whatever takes a search over the nodes
// is done once, however many queries come.
class GraphSupport {
 public:
  virtual ~GraphSupport();

  // Edges among the nodes, canonical and square.
  [[nodiscard]] virtual const CsrGraph& graph() const = 0;
  // Edges from the nodes to queries, each row by its own query and the nodes alone: [queries,
  // nodes]. `source_degree` is left undefined; the caller knows what else joins the nodes.
  [[nodiscard]] virtual CsrGraph attach(const GraphInput& queries) const = 0;
};

// Capabilities: `edge_weight` (weights other than 1), `symmetric` (graph() has i->j iff j->i),
// `seeded` (uses the stream `graph`), `needs_other`, `needs_texts` (reads that of GraphInput).
class GraphBuilder {
 public:
  using Interface = GraphBuilder;
  static constexpr std::string_view kind = "graph";

  virtual ~GraphBuilder();

  // Any number of nodes, 0 too. The support may use the builder, which outlives it.
  [[nodiscard]] virtual std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const = 0;
};

}  // namespace espalier
