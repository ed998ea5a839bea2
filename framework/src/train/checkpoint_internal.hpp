// How trainings are written down, in checkpoints and milestones.
#pragma once

#include "train/training.hpp"
#include <espalier/core/json.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <string>
#include <vector>

namespace espalier {

// Of both files.
inline constexpr int checkpoint_format = 3;

[[nodiscard]] Json to_json(const Progress& progress);

[[nodiscard]] std::vector<Parameters::Entry> renamed(const std::vector<Parameters::Entry>& entries,
                                                     const std::string& prefix);
// The tensors that stand in the file under prefix + name, each as large as its like.
[[nodiscard]] std::vector<Parameters::Entry> read_like(const SafeTensors& file,
                                                       const std::string& prefix,
                                                       const std::vector<Parameters::Entry>& like);

}  // namespace espalier
