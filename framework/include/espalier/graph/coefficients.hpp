// Symmetric normalisation of Kipf and Welling 2017, for layers built on it.
#pragma once

#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

struct GcnOptions {
  bool normalize = true;   // else the sums are plain
  double loop_weight = 1;  // of the self-loop that each node gets; 0: none
};

// What an edge and a node's own state are multiplied with.
struct GcnCoefficients {
  at::Tensor edge;  // [edges], weight / sqrt(degree of the source * degree of the target)
  at::Tensor loop;  // [targets], loop_weight / degree of the target
};

// Degrees are weighted in-degrees with the loop; 1/sqrt(0) counts as 0. In a rectangular graph
// those of the sources come from source_degree, so that a target's coefficients depend on its own
// edges alone. Differentiable in `weight`, which is the graph's own or takes its place. Throws
// Error on a negative weight: its root would be NaN.
[[nodiscard]] GcnCoefficients gcn_coefficients(const CsrGraph& graph, const at::Tensor& weight,
                                               const GcnOptions& options);

// The normalised sum over neighbours and self: sources [s, d], targets [t, d] to [t, d].
[[nodiscard]] at::Tensor propagate(const CsrGraph& graph, const GcnCoefficients& coefficients,
                                   const at::Tensor& sources, const at::Tensor& targets);

}  // namespace espalier
