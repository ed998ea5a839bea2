// Graphs over the nodes of samples, built with a component from frozen features.
#pragma once

#include "train/class_nodes.hpp"
#include "train/fusion.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <espalier/plugin/graph.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// What a builder may read of some samples.
struct FrozenNodes {
  Nodes nodes;
  at::Tensor others = {};               // a row a node, where the builder declares needs_other
  std::vector<std::string> texts = {};  // one a node, where it declares needs_texts
  std::vector<std::string> ids = {};    // of their samples one a node, where it declares needs_ids
  at::Tensor classes = {};              // what nodes of classes hold, where there are such
};

using NodesOf = std::function<FrozenNodes(std::span<const std::size_t> samples)>;

// A component that builds graphs, and what it builds them from.
struct GraphMaker {
  std::shared_ptr<const GraphBuilder> builder;
  std::string name;           // graph/..., for messages
  bool shared_space = false;  // features of images and texts can be compared
  NodesOf nodes;
  std::vector<std::string> known_ids = {};  // of all samples, where it declares needs_ids
  std::int64_t nearest_classes = 0;  // that each node is joined with; 0: classes have no nodes
};

// The graph of some samples, to which others can be attached any number of times.
//
// Two nodes a sample are joined by a pair edge of weight 1 in both directions. Similarity edges run
// within each modality, and between them where the encoder has a shared space. Relations of such
// graphs: 0 image to image, 1 text to text, 2 image to text, 3 text to image, pairs included.
//
// Nodes of classes, where there are such, stand behind all nodes of samples (class_nodes.hpp); the
// builder does not see them. Edges between samples then have relations too, 0 where the builder
// tells none apart.
class NodeGraph {
 public:
  // The first `fit` of the samples are training ones, of a negative number all.
  NodeGraph(GraphMaker maker, std::span<const std::size_t> samples, std::int64_t fit = -1);

  // Square, over all nodes, prepared.
  [[nodiscard]] const CsrGraph& graph() const noexcept { return graph_; }
  // Rectangular. Targets are the query nodes; sources are the nodes of graph(), and behind them,
  // where a sample has two nodes, the query nodes themselves for their pair edges. Degrees of the
  // sources are those in graph(), so a query's rows depend on it and on these samples alone.
  [[nodiscard]] CsrGraph attach(std::span<const std::size_t> queries) const;

 private:
  [[nodiscard]] bool together() const { return views_ == 1 || maker_.shared_space; }
  void support(GraphInput input, std::int64_t fit);
  [[nodiscard]] GraphInput all_of(const FrozenNodes& from) const;
  [[nodiscard]] GraphInput view_of(const FrozenNodes& from, std::int64_t v) const;
  [[nodiscard]] CsrGraph attached(std::size_t support, const GraphInput& queries) const;
  [[nodiscard]] CsrGraph built(const at::Tensor& nodes) const;
  [[nodiscard]] std::vector<Edge> similar_among_nodes(Json& facts) const;
  [[nodiscard]] std::vector<Edge> similar_to_nodes(const FrozenNodes& queries) const;

  GraphMaker maker_;
  std::int64_t samples_;
  std::int64_t views_ = 1;
  std::vector<std::unique_ptr<GraphSupport>> supports_;  // of all nodes, or of each modality
  std::vector<std::int64_t> sizes_;                      // nodes of each
  ClassNodes classes_;
  CsrGraph graph_;
  at::Tensor degree_;
};

// A square graph of two nodes a sample without the pair edges, which join equal labels always.
[[nodiscard]] CsrGraph without_pairs(const CsrGraph& graph, std::int64_t samples);

}  // namespace espalier
