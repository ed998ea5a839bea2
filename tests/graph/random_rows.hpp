// Rows of standard normal numbers.
#pragma once

#include <ATen/ops/empty.h>

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

inline at::Tensor random_rows(std::int64_t n, std::int64_t d, Random random) {
  at::Tensor x = at::empty({n, d}, at::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.data_ptr<float>()[i] = static_cast<float>(random.normal());
  }
  return x;
}

}  // namespace espalier
