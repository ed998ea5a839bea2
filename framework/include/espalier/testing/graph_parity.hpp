// Recorded graphs, held against the builders that make the same.
#pragma once

#include <espalier/nn/encoder_parity.hpp>
#include <espalier/plugin/catalog.hpp>
#include <filesystem>
#include <vector>

namespace espalier::conformance {

// Whether the folder's meta.json describes graphs.
[[nodiscard]] bool is_graph_case(const std::filesystem::path& folder);

// `folder` has meta.json and expected.safetensors: features `x`, `labels`, and for each of `graphs`
// in meta.json, named knn_METRIC, knn_METRIC_SYMMETRY or threshold_TAU, its edges
// `graph.NAME.edge_index` and their `cosine`; `local_scaling` weights; `automatic_threshold`. Edges
// must be the same, weights within 1e-5, figures within 1e-6. Throws Error where the folder is no
// such case.
[[nodiscard]] std::vector<TensorDifference> graph_parity(const std::filesystem::path& folder,
                                                         const Catalog& catalog);

}  // namespace espalier::conformance
