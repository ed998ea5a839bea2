// Recorded combinations of several low-rank adapters.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/nn/encoder_parity.hpp>
#include <espalier/plugin/catalog.hpp>
#include <filesystem>
#include <vector>

namespace espalier::conformance {

// `folder` has the adapters `a` and `b` and what PEFT made of them with the `weights` of meta.json,
// `cat`, `svd` and `linear`, each in a folder of its name. Outputs are compared with each of these
// five, with combinations of a and b that are made here (`cat` and so on again), and with both at
// once (`both`).
[[nodiscard]] std::vector<TensorDifference> combination_parity(const std::filesystem::path& folder,
                                                               const Json& meta,
                                                               const Catalog& catalog,
                                                               const std::string& device);

}  // namespace espalier::conformance
