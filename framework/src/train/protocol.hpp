// What the graph may hold when a query is classified. Study: Chen et al. 2022 on inductive and
// transductive evaluation; the choice moves accuracies more than most layers do.
#pragma once

#include "train/node_graphs.hpp"
#include "train/scene.hpp"
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// It knows samples by their numbers and features; there is no place for a label in it.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // Where updates happen. The training samples come first, and they are those asked.
  [[nodiscard]] virtual const Scene& training() const = 0;
  // Scenes in which each query is asked once.
  [[nodiscard]] virtual std::vector<Scene> scenes(std::span<const std::size_t> queries) const = 0;
  // Makes the training graph anew of what the nodes hold now, and from now on queries' edges too.
  // Nothing to do without edges; never of `transductive`, whose graph holds the queries.
  virtual void rebuild(const NodesOf&) {}
};

using Samples = std::vector<std::size_t>;

// `none`: no edges at all.
[[nodiscard]] std::unique_ptr<Protocol> no_graph(Samples train, std::int64_t views);

// `inductive_attach`: the graph is of training samples; each query gets edges from them and from
// nothing else, so other queries change no bit of its logits.
[[nodiscard]] std::unique_ptr<Protocol> inductive_attach(Samples train, const GraphMaker& maker);

// `inductive_batch`: queries join the training samples in one graph, `query_batch` at a time. Which
// queries meet is drawn by seed from their sorted ids: an order of the data that knows the classes
// must not put those of one class together.
[[nodiscard]] std::unique_ptr<Protocol> inductive_batch(
    Samples train, const GraphMaker& maker, std::function<std::string(std::size_t)> id_of,
    std::int64_t seed);

// `transductive`: training samples and all others that are ever asked share one graph from the
// start.
[[nodiscard]] std::unique_ptr<Protocol> transductive(const Samples& train, const Samples& others,
                                                     const GraphMaker& maker);

// Queries of inductive_batch that share a graph.
inline constexpr std::size_t query_batch = 64;

}  // namespace espalier
