// A graph layer's recorded inputs and outputs, held against the component that computes the same.
#pragma once

#include <espalier/nn/encoder_parity.hpp>
#include <espalier/plugin/catalog.hpp>
#include <filesystem>
#include <vector>

namespace espalier::conformance {

// `folder` has meta.json, which names a layer of PyTorch Geometric and its arguments, and
// expected.safetensors with `x`, `param.*`, and for the graph `canonical` its `edge_index`,
// `edge_weight`, `probe`, `out`, `loss` = sum(out * probe) and `grad.*`; for queries `x_query` and
// `attach.*`. Edges ascend by target, then source, without self-loops and duplicates; other graphs
// in the file are left alone. Float32 on the CPU. Tolerance 1e-5, where float32 itself is off by
// less than 1e-6. Throws Error where the folder is no such case or no component in `catalog`
// computes the layer.
[[nodiscard]] std::vector<TensorDifference> gnn_parity(const std::filesystem::path& folder,
                                                       const Catalog& catalog);

}  // namespace espalier::conformance
