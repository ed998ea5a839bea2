// Places as a tensor to select by.
#pragma once

#include <ATen/ops/tensor.h>

#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <vector>

namespace espalier {

// int64 [places]
[[nodiscard]] inline at::Tensor index_of(const std::vector<std::int64_t>& places,
                                         at::Device device) {
  return at::tensor(places, at::kLong).to(device);
}

}  // namespace espalier
