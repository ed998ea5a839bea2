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
  // Where `needs_ids` is declared, to be read during the call alone: ids of the n nodes' samples,
  // and of all samples of the dataset, nodes or not.
  std::span<const std::string> ids = {};
  std::span<const std::string> known_ids = {};
  // Nodes a sample. Of two, node v * n / 2 + i is view v of sample i: its image, then its text,
  // with features that can be compared.
  std::int64_t views = 1;
  // Of nodes in one view: whether they hold the texts of samples that have image nodes as well.
  bool text_nodes = false;
  // What is fitted to features, such as a mean, is fitted to those of so many samples, the first of
  // the nodes': training samples. -1: to all.
  std::int64_t fit = -1;

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
// `seeded` (uses the stream `graph`), `needs_other`, `needs_texts`, `needs_ids` (reads that of
// GraphInput).
class GraphBuilder {
 public:
  using Interface = GraphBuilder;
  static constexpr std::string_view kind = "graph";

  virtual ~GraphBuilder();

  // Any number of nodes, 0 too. The support may use the builder, which outlives it.
  [[nodiscard]] virtual std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const = 0;
};

}  // namespace espalier
