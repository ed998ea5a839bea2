// Pictures and sentences of the pretraining pool, endlessly.
#pragma once

#include "datasets/flora/flora.hpp"
#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string>
#include <vector>

namespace espalier::flora_clip {

struct Batch {
  at::Tensor pixels;  // float32 [n, 3, side, side], normalised as preprocessor_config.json says
  std::vector<std::string> sentences;
};

class Examples {
 public:
  explicit Examples(std::int64_t side);

  // Batch number `step` of a run: the same for the same seed, whatever was asked for before. Half
  // of its flowers belong to species, genus by genus, so that near relatives are told apart; the
  // others mix the attributes of several species.
  [[nodiscard]] Batch batch(std::int64_t seed, std::int64_t step, std::int64_t size) const;

  // Every sentence about every species, for the vocabulary.
  [[nodiscard]] std::vector<std::string> corpus() const;

 private:
  [[nodiscard]] flora::Species mixed(Random& random) const;

  std::int64_t side_;
  std::vector<flora::Species> species_;
};

// Pictures as the image tower takes them.
[[nodiscard]] at::Tensor to_pixels(const std::vector<Image>& images);

}  // namespace espalier::flora_clip
