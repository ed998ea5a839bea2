// The kinds of cases that `espalier parity` runs.
#pragma once

#include <espalier/nn/encoder_parity.hpp>
#include <filesystem>
#include <vector>

namespace espalier::cli {

using Differences = std::vector<TensorDifference>;

// Texts and the ids of a reference tokenizer; `data` is where the vocabulary lies that it names.
Differences tokenizer_parity(const std::filesystem::path& file, const std::filesystem::path& data);
// Pictures: their decoded pixels, and what resizing and whole pipelines made of them.
Differences image_parity(const std::filesystem::path& folder, const std::filesystem::path& data);

}  // namespace espalier::cli
