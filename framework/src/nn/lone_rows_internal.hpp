// Products whose rows do not know of each other. A BLAS rounds a row by its place in a product and
// by the number of rows, so on the CPU Espalier multiplies by itself: weights are read once for all
// rows, and the terms of every sum are added in the same order.
#pragma once

#include <c10/core/GradMode.h>

#include <cstdint>
#include <espalier/nn/parallel.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// x [n, in], W [out, in], b [out] to x W' + b [n, out]. A row is the same bit by bit whatever the
// others are and however many threads there are. On a GPU it is one product. The numbers of a row
// of x and of W lie side by side; float32 is fast, other precisions take a vector product a row.
[[nodiscard]] at::Tensor lone_rows_linear(const at::Tensor& x, const at::Tensor& weight,
                                          const at::Tensor& bias);
// The same on the CPU, into y [n, out].
void lone_rows_linear_out(at::Tensor y, const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& bias);

// x [n, k] times w [k, out] into y [n, out] on the CPU, in the thread that calls. A row is the same
// bit by bit whatever the others are.
void lone_rows_mix_out(at::Tensor y, const at::Tensor& x, const at::Tensor& w);

// Products and sums below which another thread costs more than it brings.
constexpr std::int64_t work_for_a_thread = 1 << 20;

// Calls f(from, count) for rows [from, from + count), which together are all `n`: one by one on the
// CPU, all at once on a GPU. With `work` for a thread in each row, rows have one thread each, also
// where there is but one; with less they are done in turn.
template <class F>
void for_lone_rows(std::int64_t n, at::Device device, std::int64_t work, const F& f) {
  if (!device.is_cpu()) return f(0, n);
  if (work >= work_for_a_thread) return for_each_alone(n, [&](std::int64_t i) { f(i, 1); });
  const c10::AutoGradMode without_gradients(false);
  for (std::int64_t i = 0; i < n; ++i) f(i, 1);
}

}  // namespace espalier
