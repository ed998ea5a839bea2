// Everything that is trained behind the features: fusion, graph network, head.
#pragma once

#include "train/fusion.hpp"
#include "train/head.hpp"
#include "train/query_graph.hpp"
#include "train/scene.hpp"
#include <cstdint>
#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/gnn_states.hpp>
#include <memory>
#include <string>
#include <vector>

namespace espalier {

struct NetworkParts {
  std::shared_ptr<Fusion> fusion;
  std::shared_ptr<Gnn> gnn;
  std::string gnn_name;  // gnn/..., for messages
  std::unique_ptr<Head> head;
  // Whose logits site changes what the head gives; null: nobody. Must outlive the network.
  const AdaptableEncoder* adapted = nullptr;
  bool node_rows = false;  // what the graph network declares
};

// What a pass says of samples, a row each.
struct Scores {
  at::Tensor features;  // [samples, width] that the head is given
  at::Tensor head;      // [samples, classes] that it makes of them
  at::Tensor logits;    // [samples, classes], these as a method leaves them
};

// A graph network that leaves the nodes as they are.
[[nodiscard]] std::shared_ptr<Gnn> no_network();

class Network {
 public:
  // Draws each part's parameters from a stream of its own (`fusion`, `init`, `head`), so that none
  // moves the others. Names start with `fusion.`, `gnn.` and `head.`.
  Network(NetworkParts parts, std::int64_t classes, std::int64_t seed, Parameters& parameters);

  [[nodiscard]] std::int64_t classes() const noexcept { return classes_; }
  [[nodiscard]] const Fusion& fusion() const noexcept { return *fusion_; }
  // Whether all parts promise to compute row by row, as gnn.hpp's `node_rows` says.
  [[nodiscard]] bool has_node_rows() const noexcept { return node_rows_ && adapted_ == nullptr; }
  // Whether what is said of a sample without edges follows from it alone, whoever is in the pass.
  [[nodiscard]] bool keeps_samples_apart() const noexcept { return node_rows_; }

  // Of all samples of a scene whose graph is square. Where it has more nodes than they have, the
  // others are those of the classes, behind them.
  [[nodiscard]] Scores scores(const CsrGraph& graph, const Values& values, const Mode& mode) const;

  // The states of a square graph's nodes before each step, for queries to attach to: exactly what
  // the nodes have in scores() outside training.
  struct Support {
    GnnStates states;
    Scores scores;
  };
  [[nodiscard]] Support support(const CsrGraph& graph, const Values& values,
                                const Mode& mode = {}) const;
  // Of queries in a rectangular graph, as NodeGraph::attach() gives it.
  [[nodiscard]] Scores attached(const Support& support, const CsrGraph& graph,
                                const Values& values) const;
  // Of one of them by itself: nobody else is there to change a bit of it.
  [[nodiscard]] Scores attached(const Support& support, const QueryGraph& query,
                                const Values& values) const;

 private:
  struct Known {
    at::Tensor images;
    at::Tensor texts;
    at::Tensor x;
  };
  [[nodiscard]] at::Tensor nodes(const Values& values) const;
  [[nodiscard]] at::Tensor all_nodes(const CsrGraph& graph, const Values& values) const;
  [[nodiscard]] Scores classify(const at::Tensor& states, const Values& values,
                                const Mode& mode) const;

  std::shared_ptr<const Fusion> fusion_;
  std::shared_ptr<const Gnn> gnn_;
  std::unique_ptr<Head> head_;
  const AdaptableEncoder* adapted_;
  std::int64_t classes_;
  bool node_rows_;
  bool fusion_is_trained_ = false;
  // Nodes that were made last of values that came again, the training scene's for one.
  mutable std::vector<Known> known_;
};

}  // namespace espalier
