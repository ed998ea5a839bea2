// From the features of samples to the nodes that stand for them.
#pragma once

#include "experiment/sections.hpp"
#include "train/values.hpp"
#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <memory>

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

class Fusion {
 public:
  virtual ~Fusion() = default;

  // Of a node.
  [[nodiscard]] virtual std::int64_t width() const = 0;
  // Nodes a sample.
  [[nodiscard]] virtual std::int64_t views() const { return 1; }
  // Adds its parameters, where it has any.
  virtual void init(Parameters&, Random&) {}

  // Needs init() where there are parameters.
  [[nodiscard]] virtual Nodes operator()(const Values& values) const = 0;
  // What the nodes hold before anything is trained: what a graph is made from.
  [[nodiscard]] virtual Nodes at_start(const Values& values) const { return (*this)(values); }
  // Rows [views * samples, w] of the nodes to those [samples, w] that the class comes from.
  [[nodiscard]] virtual at::Tensor of_samples(const at::Tensor& states) const { return states; }
  // What nodes of classes hold, [classes, width()]; needs their values, as wide as a node.
  [[nodiscard]] virtual at::Tensor of_classes(const Values& values) const = 0;
  // Rows beside those of the nodes, from what they do not hold: of an image node the text's
  // features and the other way round, of a node that holds both the text's. Needs the values of
  // both.
  [[nodiscard]] virtual at::Tensor others(const Values& values) const = 0;
};

struct FeatureWidths {
  std::int64_t images = 0;  // 0: there are none
  std::int64_t texts = 0;
};

// By nodes.fuse: `image`, `text`, their `mean`, their columns side by side (`concat`), or a node
// each (`bimodal`). Without a shared space the nodes of `bimodal` have columns of their own for
// each modality, the others 0, so that nothing compares what cannot be compared. The class of a
// `bimodal` sample comes from the node that nodes.predict names, or from the mean of both. Of
// `cross_attention` (cross_attention.hpp) a node is the image's features, changed by what they
// attend to in the text's, the text's by the image's, or both side by side, as nodes.attend says.
// Throws Error where `mean` meets different widths.
[[nodiscard]] std::unique_ptr<Fusion> make_fusion(const NodesParams& params,
                                                  const FeatureWidths& widths, bool shared_space);

}  // namespace espalier
