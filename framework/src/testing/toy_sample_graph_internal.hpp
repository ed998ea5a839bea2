// A graph that toy pictures stand in.
#pragma once

#include <espalier/plugin/peft.hpp>
#include <vector>

namespace espalier::conformance {

// Nodes are samples 0 and 1, the first two pictures of toy_input(), and three more; sample 2, the
// third of them, is a query.
class ToySampleGraph final : public SampleGraph {
 public:
  enum class Edges { some, none };
  explicit ToySampleGraph(Edges edges);

  [[nodiscard]] std::span<const std::int64_t> nodes() const override { return nodes_; }
  [[nodiscard]] const CsrGraph& graph() const override { return graph_; }
  [[nodiscard]] CsrGraph rows(std::span<const std::int64_t> samples) const override;
  // Runs the image tower, where there is one, over the nodes' pictures.
  void look(const AdaptableEncoder& encoder) const;

 private:
  std::vector<std::int64_t> nodes_ = {0, 1, 3, 4, 5};
  CsrGraph graph_;
  std::vector<Edge> of_query_;
};

}  // namespace espalier::conformance
