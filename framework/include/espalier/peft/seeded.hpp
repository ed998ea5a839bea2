// What Hugging Face PEFT draws from PyTorch's own generator by a seed in its config, and does not
// store: it belongs to the method, so it is drawn the same way here.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// torch.Generator("cpu").manual_seed(seed), which nobody else draws from.
[[nodiscard]] at::Generator seeded_generator(std::int64_t seed);

// `count` different places of a matrix, int64 [count]: row * width + column.
[[nodiscard]] at::Tensor seeded_places(std::int64_t rows, std::int64_t width, std::int64_t count,
                                       std::int64_t seed);

// Uniform within +-sqrt(6 / fan_in), with the last dimension as fan_in.
[[nodiscard]] at::Tensor seeded_kaiming(at::IntArrayRef sizes, at::Generator& generator);

}  // namespace espalier
