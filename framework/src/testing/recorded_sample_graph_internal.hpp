// The graph of a recorded case.
#pragma once

#include <espalier/nn/named_tensors.hpp>
#include <espalier/plugin/peft.hpp>
#include <vector>

namespace espalier::conformance {

// Nodes are the samples 0, 1, ... of `node_pixel_values`, with the edges `edge_index` [2, edges] as
// PyTorch Geometric has them, sources first, and `edge_weight`; row i of a pass, of `samples`, gets
// those of `row_edge_index` and `row_edge_weight` whose target is i.
class RecordedSampleGraph final : public SampleGraph {
 public:
  explicit RecordedSampleGraph(const NamedTensors& inputs);

  [[nodiscard]] std::span<const std::int64_t> nodes() const override { return nodes_; }
  [[nodiscard]] const CsrGraph& graph() const override { return graph_; }
  // Of the recorded pass.
  [[nodiscard]] CsrGraph rows(std::span<const std::int64_t> samples) const override;
  void look(const VisionTower& tower) const;

 private:
  at::Tensor pictures_;
  std::vector<std::int64_t> nodes_;
  CsrGraph graph_;
  CsrGraph rows_;
};

}  // namespace espalier::conformance
