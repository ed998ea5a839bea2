// Products whose rows do not know of each other: a BLAS rounds a row by its place in a product and
// by the number of rows, so on the CPU each row has vector products of its own, in one thread,
// while a piece of the weights stays in that thread's cache for all rows.
#pragma once

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstdint>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// x [n, in], W [out, in], b [out] or undefined to x W' + b [n, out]. A row is the same bit by bit
// whatever the others are and however many threads there are. On a GPU it is one product.
[[nodiscard]] at::Tensor lone_rows_linear(const at::Tensor& x, const at::Tensor& weight,
                                          const at::Tensor& bias);

// Calls f(from, count) for rows [from, from + count), which together are all `n`: one by one on the
// CPU, each in one thread, also where there is but one; all at once on a GPU.
template <class F>
void for_lone_rows(std::int64_t n, at::Device device, const F& f) {
  if (!device.is_cpu()) return f(0, n);
  at::parallel_for(0, std::max<std::int64_t>(n, 2), 1, [&](std::int64_t begin, std::int64_t end) {
    const c10::AutoGradMode without_gradients(false);
    for (std::int64_t i = begin; i < std::min(end, n); ++i) f(i, 1);
  });
}

}  // namespace espalier
