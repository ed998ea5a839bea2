// Recorded cases of methods that work on features and class vectors.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/nn/encoder_parity.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/plugin/catalog.hpp>
#include <filesystem>
#include <vector>

namespace espalier::conformance {

[[nodiscard]] bool is_feature_case(const NamedTensors& expected);

// What peft_parity() says of them.
[[nodiscard]] std::vector<TensorDifference> feature_parity(const std::filesystem::path& folder,
                                                           const Json& meta, NamedTensors expected,
                                                           const Catalog& catalog);

}  // namespace espalier::conformance
