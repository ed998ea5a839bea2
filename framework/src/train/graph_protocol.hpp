// What the graph may hold when a query is classified. Study: Chen et al. 2022 on inductive and
// transductive evaluation; the choice moves accuracies more than most layers do.
#pragma once

#include "train/model.hpp"
#include "train/nodes.hpp"
#include <memory>
#include <optional>
#include <string>

namespace espalier {

// What training and selection may look at. There is no place for a test label in it.
struct TrainingNodes {
  Nodes train;
  Nodes val;
  std::optional<Nodes> unlabelled;  // of the transductive protocol: the test nodes
};

class GraphProtocol {
 public:
  virtual ~GraphProtocol() = default;

  // Where updates happen. The first samples are the training samples.
  [[nodiscard]] virtual const Nodes& nodes() const = 0;
  [[nodiscard]] virtual const CsrGraph& graph() const = 0;

  // Logits outside training, [samples, classes].
  struct Logits {
    at::Tensor train;
    at::Tensor val;
  };
  [[nodiscard]] virtual Logits evaluate(const Model& model) const = 0;
  [[nodiscard]] virtual at::Tensor test(const Model& model, const Nodes& test) const = 0;
};

// inductive_attach: the graph is of training nodes; each query gets edges from them and from
// nothing else, so other queries change its logits by rounding at most. inductive_batch: queries
// join the training nodes in one graph, `query_batch` at a time in their order.
// transductive: training, validation and test nodes share one graph from the start.
// none: no edges at all.
// `graphs` must outlive the result.
[[nodiscard]] std::unique_ptr<GraphProtocol> make_graph_protocol(const std::string& name,
                                                                 TrainingNodes nodes,
                                                                 const NodeGraphs& graphs);

// Queries of inductive_batch that share a graph.
inline constexpr std::int64_t query_batch = 64;

}  // namespace espalier
