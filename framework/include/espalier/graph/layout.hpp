// Places of a graph's nodes in a plane, for pictures.
#pragma once

#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>
#include <utility>
#include <vector>

namespace espalier {

using Places = std::vector<std::pair<double, double>>;

// Joined nodes attract and all repel each other (Fruchterman and Reingold 1991), from the first two
// principal components of the nodes' features on, float32 [n, d]. In a unit square, the same each
// time. Takes time of n^2: for hundreds of nodes.
[[nodiscard]] Places force_layout(const CsrGraph& graph, const at::Tensor& features);

}  // namespace espalier
