// The kinds of cases that `espalier parity` runs.
#pragma once

#include <espalier/nn/encoder_parity.hpp>
#include <filesystem>
#include <vector>

namespace espalier::cli {

using Differences = std::vector<TensorDifference>;

// What a case names: beside it (`folder`), then where the data lies (`data`, which may be empty) or
// beside that. `folder / name` where it is nowhere.
[[nodiscard]] std::filesystem::path find_named(const std::filesystem::path& name,
                                               const std::filesystem::path& folder,
                                               const std::filesystem::path& data);

// Texts and the ids of a reference tokenizer, whose vocabulary the file names.
Differences tokenizer_parity(const std::filesystem::path& file, const std::filesystem::path& data);
// Pictures: their decoded pixels, and what resizing and whole pipelines made of them.
Differences image_parity(const std::filesystem::path& folder, const std::filesystem::path& data);

// Fisher information and the penalty of elastic weight consolidation, of a small perceptron:
// meta.json has a `lambda`.
bool is_ewc_case(const std::filesystem::path& folder);
Differences ewc_parity(const std::filesystem::path& folder);

}  // namespace espalier::cli
