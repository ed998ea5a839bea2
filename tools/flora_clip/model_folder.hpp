// The CLIP folder that is trained: its sizes, its first weights, and how it is written.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/nn/parameters.hpp>
#include <filesystem>
#include <string>

namespace espalier::flora_clip {

struct TowerSize {
  std::int64_t width;
  std::int64_t layers;
  std::int64_t heads;
};

struct ModelSize {
  TowerSize vision{128, 4, 4};
  TowerSize text{96, 3, 4};
  std::int64_t image = 64;  // pixels a side
  std::int64_t patch = 8;
  std::int64_t max_length = 64;  // tokens
  std::int64_t projection = 96;
  std::int64_t vocabulary = 0;
  std::int64_t start_id = 0;
  std::int64_t end_id = 0;
};

// config.json and preprocessor_config.json.
void write_configuration(const ModelSize& size, const std::filesystem::path& folder);

// model.safetensors with CLIP's own scheme of random weights (Radford et al. 2021, released code).
void write_initial_weights(const ModelSize& size, Random& random,
                           const std::filesystem::path& folder);

// model.safetensors in half precision.
void write_trained_weights(const Parameters& parameters, const std::filesystem::path& folder);

}  // namespace espalier::flora_clip
