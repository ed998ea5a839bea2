// A graph layer's recorded inputs and outputs, held against the component that computes the same.
#pragma once

#include <espalier/nn/encoder_parity.hpp>
#include <espalier/plugin/catalog.hpp>
#include <filesystem>
#include <vector>

namespace espalier::conformance {

// `folder` has meta.json, which names a layer of PyTorch Geometric and its arguments, and
// expected.safetensors with `x`, `param.*`, and for the graph `canonical`, and `raw` where it is
// there, `edge_index` and what the layer takes of `edge_weight`, `edge_attr`, `edge_type`, then
// `probe`, `out`, `loss` = sum(out * probe), `grad.*` and `attention.alpha`; for queries `x_query`
// and `attach.*`, and `bipartite.out` without self-loops. Edges may stand in any order, with
// duplicates and self-loops. Float32 on the CPU. Tolerance 1e-5, where float32 itself is off by
// less than 1e-6. Throws Error where the folder is no such case or no component in `catalog`
// computes the layer.
[[nodiscard]] std::vector<TensorDifference> gnn_parity(const std::filesystem::path& folder,
                                                       const Catalog& catalog);

}  // namespace espalier::conformance
