// The trial's graph as a method inside the encoder sees it.
#pragma once

#include "train/node_graphs.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace espalier {

// The graph of the training samples, which all are nodes; others are attached to it as queries.
// Not thread-safe.
class AttachedSamples final : public SampleGraph {
 public:
  // One node a sample.
  AttachedSamples(std::span<const std::size_t> train, GraphMaker maker);

  [[nodiscard]] std::span<const std::int64_t> nodes() const override { return nodes_; }
  [[nodiscard]] const CsrGraph& graph() const override { return graph_.graph(); }
  [[nodiscard]] CsrGraph rows(std::span<const std::int64_t> samples) const override;

 private:
  [[nodiscard]] CsrGraph found(std::span<const std::int64_t> samples) const;

  NodeGraph graph_;
  std::vector<std::int64_t> nodes_;
  std::unordered_map<std::int64_t, std::int64_t> node_of_;  // by sample
  CsrGraph own_;  // the edges of graph(), as those of queries are
  // What was asked for last: each adapter of a pass asks for the same.
  mutable std::vector<std::int64_t> asked_;
  mutable CsrGraph rows_;
};

// No nodes: each sample stands by itself.
class LoneSamples final : public SampleGraph {
 public:
  [[nodiscard]] std::span<const std::int64_t> nodes() const override { return {}; }
  [[nodiscard]] const CsrGraph& graph() const override { return graph_; }
  [[nodiscard]] CsrGraph rows(std::span<const std::int64_t> samples) const override {
    return empty_graph(std::ssize(samples), 0);
  }

 private:
  CsrGraph graph_ = empty_graph(0, 0);
};

}  // namespace espalier
