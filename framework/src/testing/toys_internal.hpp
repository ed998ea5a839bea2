// Small inputs that are the same every time, and comparisons.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/image/image.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string>
#include <vector>

namespace espalier::conformance {

// Standard normal, float32.
[[nodiscard]] at::Tensor normal_tensor(at::IntArrayRef sizes, Random& random);

// Square, about `degree` edges a node, weights in (0.1, 1), relations 0 to 3.
[[nodiscard]] CsrGraph random_graph(std::int64_t nodes, double degree, Random& random);

// A permutation of n and its graph: node i of the result is node order[i] of the given one.
[[nodiscard]] std::vector<std::int64_t> random_order(std::int64_t n, Random& random);
[[nodiscard]] CsrGraph reorder(const CsrGraph& graph, const std::vector<std::int64_t>& order);
[[nodiscard]] at::Tensor index_tensor(const std::vector<std::int64_t>& order);

// Equal bits, NaN included.
[[nodiscard]] bool same_bits(const at::Tensor& a, const at::Tensor& b);
// Shapes agree and no element differs by more than `tolerance` times the larger of 1 and the
// largest magnitude of b.
[[nodiscard]] bool close(const at::Tensor& a, const at::Tensor& b, double tolerance);
[[nodiscard]] bool finite(const at::Tensor& tensor);
// The same edges, and weights within `tolerance`.
[[nodiscard]] bool same_graph(const CsrGraph& a, const CsrGraph& b, double tolerance);

[[nodiscard]] std::string shape_of(const at::Tensor& tensor);

// Noise, in several sizes and shapes.
[[nodiscard]] std::vector<Image> some_images();
// Empty, short, long, and in several scripts.
[[nodiscard]] std::vector<std::string> some_texts();

}  // namespace espalier::conformance
