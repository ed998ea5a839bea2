// Symmetric normalisation of Kipf and Welling 2017, for layers built on it.
#pragma once

#include <espalier/core/schema.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/graph/spmm.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string>
#include <vector>

namespace espalier {

// What becomes of negative weights, of whose sums no root can be taken: an Error, or 0.
inline const std::vector<std::string> negative_weights = {"refuse", "clamp"};

struct GcnOptions {
  bool normalize = true;   // else the sums are plain
  double loop_weight = 1;  // of the self-loop of a node that has none; 0: none
  std::string negative = "refuse";
};

// An edge's weight / sqrt(degree of the source * degree of the target), and a target's
// loop_weight / degree, where it has no loop among its edges. Degrees are weighted in-degrees with
// the loop; 1/sqrt(0) counts as 0. In a rectangular graph those of the sources come from
// source_degree, so that a target's coefficients depend on its own edges alone. Differentiable in
// `weight`, which is the graph's own or takes its place.
[[nodiscard]] MessageWeights gcn_coefficients(const CsrGraph& graph, const at::Tensor& weight,
                                              const GcnOptions& options);

// -weight / sqrt(out-degree of the source * out-degree of the target) without self-loops: the
// normalised Laplacian less the identity, for ChebConv's largest eigenvalue 2. Square graphs only.
[[nodiscard]] at::Tensor scaled_laplacian(const CsrGraph& graph, const at::Tensor& weight,
                                          const std::string& negative);

// The setting of that name.
template <class Params>
void bind_negative_weights(Schema<Params>& s) {
  s.template field<std::string>("negative_weights", &Params::negative_weights)
      .choices(negative_weights)
      .doc("Refuse a graph with negative weights, or count them as 0");
}

}  // namespace espalier
