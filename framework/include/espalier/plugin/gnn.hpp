// Kind `gnn`: node states and a graph to node states.
//
// A network is taken apart so that unseen nodes can be attached exactly: embed() and readout() work
// row by row, and only step() looks at neighbours. On a square graph the layer states are
//   h_0 = embed(x),  h_{l+1} = step(l, h_l, h_l, h_0, G),  y = readout(h_L, x).
// A query attached to them runs the same steps with the support's h_l as sources and its own as
// targets.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/graph/spmm.hpp>
#include <espalier/nn/mode.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string_view>

namespace espalier {

// Capabilities: `graph` (looks at edges at all), `edge_weight` (looks at weights), `bipartite` (can
// attach), `node_rows` (outside training whatever rounds has a row a node, in products, functions
// and sums by row, and what it does to edges is propagate(), attention_weights() and products of
// two numbers: so a target's bits do not depend on how many edges others have; then several threads
// may ask it at once), `scores` (gives log-probabilities of the classes by CsrGraph::label and
// edges alone: nothing is trained, and no head follows), `needs_relations` (cannot do without
// CsrGraph::relation), `identity_at_init` (y equals x before training), `wraps:FIELD` (has the
// capabilities of the component in its parameter FIELD as well).
class Gnn {
 public:
  using Interface = Gnn;
  static constexpr std::string_view kind = "gnn";

  virtual ~Gnn();

  // How many classes there are, before init(). Networks inside another one are not told.
  virtual void expect_classes(std::int64_t count);
  // Creates the parameters for inputs of this width. Called once, before anything else.
  virtual void init(std::int64_t width, Parameters& parameters, Random& random) = 0;
  [[nodiscard]] virtual std::int64_t out_width() const = 0;
  // Number of step() calls.
  [[nodiscard]] virtual std::int64_t depth() const = 0;

  // [n, width] to [n, w_0].
  [[nodiscard]] virtual at::Tensor embed(const at::Tensor& x, const Mode& mode) const;
  // sources [s, w_l], targets [t, w_l], targets_0 = the targets' h_0, to [t, w_{l+1}].
  [[nodiscard]] virtual at::Tensor step(std::int64_t layer, const at::Tensor& sources,
                                        const at::Tensor& targets, const at::Tensor& targets_0,
                                        const CsrGraph& graph, const Mode& mode) const = 0;
  // h_L [n, w_L] and the input [n, width] to [n, out_width()].
  [[nodiscard]] virtual at::Tensor readout(const at::Tensor& h, const at::Tensor& x,
                                           const Mode& mode) const;
  // Whether readout() looks at x. Where it does not, x may be undefined: who would have to compute
  // it leaves it out.
  [[nodiscard]] virtual bool reads_input() const;

  // How step(layer, ...) weighs messages outside training, [edges, heads] and [t, heads]; undefined
  // where it does so by no attention.
  [[nodiscard]] virtual MessageWeights attention(std::int64_t layer, const at::Tensor& sources,
                                                 const at::Tensor& targets,
                                                 const at::Tensor& targets_0,
                                                 const CsrGraph& graph) const;
};

}  // namespace espalier
