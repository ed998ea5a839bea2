#include <ATen/ops/addmv.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include "lone_rows_internal.hpp"

namespace espalier {
namespace {

// Of weights that are looked at together: what a core's own cache holds besides a row.
constexpr std::int64_t piece_bytes = 384 << 10;

}  // namespace

at::Tensor lone_rows_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!x.device().is_cpu()) return at::linear(x, weight, bias);
  const std::int64_t n = x.size(0), out = weight.size(0);
  const at::Tensor start = bias.defined() ? bias : at::zeros({out}, x.options());
  at::Tensor y = at::empty({n, out}, x.options());
  const std::int64_t row_bytes = weight.size(1) * static_cast<std::int64_t>(weight.element_size());
  const std::int64_t piece = std::max<std::int64_t>(16, piece_bytes / row_bytes);
  for_lone_rows((out + piece - 1) / piece, x.device(), [&](std::int64_t number, std::int64_t) {
    const std::int64_t from = number * piece, size = std::min(piece, out - from);
    const at::Tensor some = weight.narrow(0, from, size), begin = start.narrow(0, from, size);
    for (std::int64_t row = 0; row < n; ++row) {
      at::Tensor target = y[row].narrow(0, from, size);
      at::addmv_out(target, begin, some, x[row]);
    }
  });
  return y;
}

}  // namespace espalier
