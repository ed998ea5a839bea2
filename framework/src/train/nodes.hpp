// From features to the nodes of a graph.
#pragma once

#include "experiment/sections.hpp"
#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <espalier/plugin/graph.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string>

namespace espalier {

// The nodes of some samples: one a sample, or two, all image nodes before all text nodes. Node v of
// sample i is row v * samples() + i.
struct Nodes {
  at::Tensor x;            // float32 [views * samples, width]
  std::int64_t views = 1;  // nodes a sample

  [[nodiscard]] std::int64_t samples() const { return x.size(0) / views; }
  // One modality, [samples, width].
  [[nodiscard]] at::Tensor view(std::int64_t v) const {
    return x.slice(0, v * samples(), (v + 1) * samples());
  }
};

// By nodes.fuse: `image`, `text`, their `mean`, their columns side by side (`concat`), or a node
// each
// (`bimodal`). Features [samples, w], undefined where the fusion has no use for them. Without a
// shared space the nodes of `bimodal` have columns of their own for each modality, the others 0, so
// that nothing compares what cannot be compared. Throws Error where `mean` meets different widths.
[[nodiscard]] Nodes fuse(const NodesParams& params, const at::Tensor& images,
                         const at::Tensor& texts, bool shared_space);

// The samples of `a`, then those of `b`.
[[nodiscard]] Nodes join(const Nodes& a, const Nodes& b);
// Samples [first, last); those beyond the end of `nodes` are rows of zeros.
[[nodiscard]] Nodes slice(const Nodes& nodes, std::int64_t first, std::int64_t last);

// A square graph of two nodes a sample without the pair edges, which join equal labels always.
[[nodiscard]] CsrGraph without_pairs(const CsrGraph& graph, std::int64_t samples);

// Builds graphs over nodes with a component. Two nodes a sample are joined by a pair edge of weight
// 1 in both directions. Similarity edges run within each modality, and between them where the
// encoder has a shared space. Relations of bimodal graphs: 0 image to image, 1 text to text, 2
// image to text, 3 text to image, pairs included.
class NodeGraphs {
 public:
  NodeGraphs(const GraphBuilder& builder, std::string name, bool shared_space)
      : builder_(builder), name_(std::move(name)), shared_space_(shared_space) {}

  // Square, over all nodes.
  [[nodiscard]] CsrGraph build(const Nodes& nodes) const;

  // Rectangular. Targets are the query nodes; sources are the support's nodes, and after them,
  // where a sample has two nodes, the query nodes themselves for their pair edges. `degree` is the
  // in-degree of the support nodes in their own graph. Each sample's rows depend on it and the
  // support alone.
  [[nodiscard]] CsrGraph attach(const Nodes& support, const at::Tensor& degree,
                                const Nodes& queries) const;

 private:
  [[nodiscard]] CsrGraph built(const at::Tensor& x) const;
  [[nodiscard]] CsrGraph attached(const at::Tensor& support, const at::Tensor& queries) const;

  const GraphBuilder& builder_;
  std::string name_;
  bool shared_space_;
};

}  // namespace espalier
