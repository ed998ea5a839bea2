// Nodes of classes beside those of samples, which hold what the encoder says of a class's texts.
//
// As in GraphAdapter (Li et al. 2023) classes are joined with samples and with each other: a node
// of a sample, in both directions, with the classes that it is most similar to, a class with the
// other classes that it or they are most similar to. GraphAdapter has a graph a class; here all
// stand in one. Classes are known by their names alone, so no label is in an edge. Relations: 4
// class to sample, 5 sample to class, 6 class to class; edges weigh their cosine, negative ones 0.
#pragma once

#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <espalier/graph/similarity.hpp>
#include <optional>
#include <vector>

namespace espalier {

class ClassNodes {
 public:
  // None.
  ClassNodes() = default;
  // Of classes [count, width] as samples' nodes can be compared with them; each node is joined with
  // the `nearest` most similar ones, of equals the first, all where there are fewer.
  ClassNodes(const at::Tensor& classes, std::int64_t nearest);

  [[nodiscard]] std::int64_t count() const { return classes_ ? classes_->size() : 0; }

  // Adds the edges between classes, whose nodes start at `first`, and nodes [n, width] of samples,
  // which start at 0, and those among classes.
  void join(const at::Tensor& nodes, std::int64_t first, std::vector<Edge>& edges) const;
  // Adds those from classes to nodes of queries, each by its query alone.
  void attach(const at::Tensor& queries, std::int64_t first, std::vector<Edge>& edges) const;

 private:
  std::optional<SimilaritySearch> classes_;
  std::int64_t nearest_ = 0;
};

}  // namespace espalier
