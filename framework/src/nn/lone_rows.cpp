#include <ATen/ops/addmv.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mv.h>

#include <algorithm>
#include <cstring>

#include "lone_rows_internal.hpp"

namespace espalier {
namespace {

// What every 64-bit processor adds and multiplies at once.
using Lanes = float __attribute__((vector_size(16)));
constexpr std::int64_t lanes = 4;

// y = x W' + b: n rows of x, each `k` long.
struct FloatProduct {
  std::int64_t n, k;
  const float* x;
  std::int64_t x_stride;
  const float* w;
  std::int64_t w_stride;
  const float* b;
  float* y;
  std::int64_t y_stride;
};

Lanes lanes_at(const float* data) {
  Lanes values;
  std::memcpy(&values, data, sizeof values);
  return values;
}

// The outputs `column` and so on of `row` and so on, R x C of them. Each is four sums of every
// fourth product, whatever R and C are. The weights after these are called from memory meanwhile.
template <int R, int C>
void multiply_tile(const FloatProduct& p, std::int64_t row, std::int64_t column) {
  const float* const x = p.x + row * p.x_stride;
  const float* const w = p.w + column * p.w_stride;
  Lanes sums[R][C] = {};
  for (std::int64_t i = 0; i + lanes <= p.k; i += lanes) {
    Lanes weights[C];
    for (int c = 0; c < C; ++c) {
      weights[c] = lanes_at(w + c * p.w_stride + i);
      __builtin_prefetch(w + (c + C) * p.w_stride + i);
    }
    for (int r = 0; r < R; ++r) {
      const Lanes values = lanes_at(x + r * p.x_stride + i);
      for (int c = 0; c < C; ++c) sums[r][c] += values * weights[c];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      const Lanes& some = sums[r][c];
      float sum = (some[0] + some[2]) + (some[1] + some[3]);
      for (std::int64_t i = p.k - p.k % lanes; i < p.k; ++i) {
        sum += x[r * p.x_stride + i] * w[c * p.w_stride + i];
      }
      p.y[(row + r) * p.y_stride + column + c] = sum + p.b[column + c];
    }
  }
}

template <int C>
void multiply_columns(const FloatProduct& p, std::int64_t column) {
  std::int64_t row = 0;
  for (; row + 4 <= p.n; row += 4) multiply_tile<4, C>(p, row, column);
  if (p.n - row == 3) multiply_tile<3, C>(p, row, column);
  if (p.n - row == 2) multiply_tile<2, C>(p, row, column);
  if (p.n - row == 1) multiply_tile<1, C>(p, row, column);
}

// Of outputs [from, to). As many sums are under way at once as fit into registers.
template <int C>
void multiply_range(const FloatProduct& p, std::int64_t from, std::int64_t to) {
  for (; from + C <= to; from += C) multiply_columns<C>(p, from);
  for (; from < to; ++from) multiply_columns<1>(p, from);
}

void multiply_floats(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     at::Tensor& y) {
  constexpr std::int64_t piece = 16;
  if (x.size(0) == 0) return;
  const std::int64_t out = weight.size(0);
  const FloatProduct p{.n = x.size(0),
                       .k = x.size(1),
                       .x = x.data_ptr<float>(),
                       .x_stride = x.stride(0),
                       .w = weight.data_ptr<float>(),
                       .w_stride = weight.stride(0),
                       .b = bias.data_ptr<float>(),
                       .y = y.data_ptr<float>(),
                       .y_stride = y.stride(0)};
  const std::int64_t grain = std::max(piece, work_for_a_thread / (2 * p.n * p.k));
  parallel_for(0, (out + piece - 1) / piece, (grain + piece - 1) / piece,
               [&](std::int64_t first, std::int64_t last) {
                 const std::int64_t from = first * piece, to = std::min(last * piece, out);
                 p.n == 1 ? multiply_range<4>(p, from, to) : multiply_range<2>(p, from, to);
               });
}

// y[column, column + block) of a row: the rows of w, each times a number of x, added one by one.
constexpr std::int64_t block = 4 * lanes;
void mix_block(const float* x, std::int64_t k, const float* w, std::int64_t stride, float* y) {
  Lanes sums[4] = {};
  for (std::int64_t i = 0; i < k; ++i) {
    const Lanes value = {x[i], x[i], x[i], x[i]};
    for (int j = 0; j < 4; ++j) sums[j] += value * lanes_at(w + i * stride + j * lanes);
  }
  std::memcpy(y, sums, sizeof sums);
}

void mix_floats(const at::Tensor& x, const at::Tensor& w, at::Tensor& y) {
  const std::int64_t n = x.size(0), k = x.size(1), out = w.size(1), whole = out - out % block;
  const float* const weights = w.data_ptr<float>();
  for (std::int64_t column = 0; column < out; column += column < whole ? block : 1) {
    for (std::int64_t row = 0; row < n; ++row) {
      const float* const values = x.data_ptr<float>() + row * x.stride(0);
      float* const target = y.data_ptr<float>() + row * y.stride(0) + column;
      if (column < whole) {
        mix_block(values, k, weights + column, w.stride(0), target);
      } else {
        *target = 0;
        for (std::int64_t i = 0; i < k; ++i)
          *target += values[i] * weights[i * w.stride(0) + column];
      }
    }
  }
}

// In other precisions, by vector products: a piece of the weights stays in a core's cache
// meanwhile.
void multiply_vectors(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      at::Tensor& y) {
  constexpr std::int64_t cached_bytes = 384 << 10;
  const std::int64_t n = x.size(0), out = weight.size(0);
  const std::int64_t row_bytes = weight.size(1) * static_cast<std::int64_t>(weight.element_size());
  const std::int64_t piece = std::max<std::int64_t>(16, cached_bytes / row_bytes);
  const std::int64_t work = 2 * piece * weight.size(1);
  for_lone_rows(
      (out + piece - 1) / piece, x.device(), work, [&](std::int64_t number, std::int64_t) {
        const std::int64_t from = number * piece, size = std::min(piece, out - from);
        const at::Tensor some = weight.narrow(0, from, size), begin = bias.narrow(0, from, size);
        for (std::int64_t row = 0; row < n; ++row) {
          at::Tensor target = y[row].narrow(0, from, size);
          at::addmv_out(target, begin, some, x[row]);
        }
      });
}

}  // namespace

void lone_rows_linear_out(at::Tensor y, const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& bias) {
  if (x.scalar_type() == at::kFloat) {
    multiply_floats(x, weight, bias, y);
  } else {
    multiply_vectors(x, weight, bias, y);
  }
}

void lone_rows_mix_out(at::Tensor y, const at::Tensor& x, const at::Tensor& w) {
  if (x.scalar_type() == at::kFloat) return mix_floats(x, w, y);
  for (std::int64_t row = 0; row < x.size(0); ++row) {
    at::Tensor target = y[row];
    at::mv_out(target, w.t(), x[row]);
  }
}

at::Tensor lone_rows_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!x.device().is_cpu()) return at::linear(x, weight, bias);
  at::Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
  lone_rows_linear_out(y, x, weight, bias);
  return y;
}

}  // namespace espalier
