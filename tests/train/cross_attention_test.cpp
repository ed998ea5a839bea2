#include "train/cross_attention.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <espalier/core/random.hpp>
#include <vector>

namespace espalier {
namespace {

using Matrix = std::vector<std::vector<double>>;

at::Tensor noise(at::IntArrayRef sizes, const std::string& stream) {
  Random random(3, stream);
  return uniform_init(sizes, 1.0, random);
}

Matrix matrix(const at::Tensor& x) {
  const at::Tensor y = x.detach().to(at::kDouble).contiguous();
  Matrix rows;
  for (std::int64_t i = 0; i < y.size(0); ++i) {
    const double* row = y.data_ptr<double>() + i * y.size(1);
    rows.emplace_back(row, row + y.size(1));
  }
  return rows;
}

// Modalities of 6 and 5 columns, 3 tokens of 4 columns, 2 heads; W_out is not zero.
struct Example {
  Example() {
    Random random(1, "fusion");
    attention.init("image", 6, 5, parameters, random);
    const c10::AutoGradMode no_grad(false);
    for (const auto& [name, tensor] : parameters.entries()) {
      if (name.find(".out.") != std::string::npos) tensor.copy_(noise(tensor.sizes(), name) * 0.3);
    }
  }
  [[nodiscard]] Matrix of(const std::string& name) const {
    for (const auto& [key, tensor] : parameters.entries()) {
      if (key == name) return matrix(tensor.dim() == 1 ? tensor.unsqueeze(0) : tensor);
    }
    ADD_FAILURE() << name;
    return {};
  }
  void to_double() {
    for (const auto& [name, tensor] : parameters.entries()) {
      at::Tensor(tensor).set_data(tensor.detach().to(at::kDouble));
    }
  }

  Parameters parameters;
  CrossAttention attention{{.tokens = 3, .width = 4, .heads = 2}};
  at::Tensor x = noise({4, 6}, "x");
  at::Tensor y = noise({4, 5}, "y");
};

std::vector<double> standard(std::vector<double> row) {
  double mean = 0, square = 0;
  for (const double v : row) mean += v / static_cast<double>(row.size());
  for (const double v : row) square += (v - mean) * (v - mean) / static_cast<double>(row.size());
  for (double& v : row) v = (v - mean) / std::sqrt(square + 1e-5);
  return row;
}

std::vector<double> affine(const Matrix& weight, const Matrix& bias, const std::vector<double>& x) {
  std::vector<double> out = bias[0];
  for (std::size_t o = 0; o < weight.size(); ++o) {
    for (std::size_t i = 0; i < x.size(); ++i) out[o] += weight[o][i] * x[i];
  }
  return out;
}

// The header's formula, one number at a time.
std::vector<double> by_hand(const Example& e, const std::vector<double>& x,
                            const std::vector<double>& y) {
  constexpr std::size_t tokens = 3, width = 4, heads = 2, part = width / heads;
  const auto q = affine(e.of("image.q.weight"), e.of("image.q.bias"), standard(x));
  const auto k = affine(e.of("image.k.weight"), e.of("image.k.bias"), standard(y));
  const auto v = affine(e.of("image.v.weight"), e.of("image.v.bias"), standard(y));
  std::vector<double> seen(tokens * width, 0.0);
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t t = 0; t < tokens; ++t) {
      std::vector<double> weight(tokens, 0.0);
      double sum = 0;
      for (std::size_t s = 0; s < tokens; ++s) {
        double score = 0;
        for (std::size_t c = h * part; c < (h + 1) * part; ++c) {
          score += q[t * width + c] * k[s * width + c];
        }
        weight[s] = std::exp(score / std::sqrt(static_cast<double>(part)));
        sum += weight[s];
      }
      for (std::size_t s = 0; s < tokens; ++s) {
        for (std::size_t c = h * part; c < (h + 1) * part; ++c) {
          seen[t * width + c] += weight[s] / sum * v[s * width + c];
        }
      }
    }
  }
  std::vector<double> out = affine(e.of("image.out.weight"), e.of("image.out.bias"), seen);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += x[i];
  return out;
}

// Sums of a dozen float32 products: rounding is below 1e-6.
TEST(CrossAttention, IsItsFormula) {
  const Example example;
  const Matrix x = matrix(example.x), y = matrix(example.y);
  const Matrix found = matrix(example.attention(example.x, example.y));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::vector<double> expected = by_hand(example, x[i], y[i]);
    for (std::size_t c = 0; c < expected.size(); ++c) EXPECT_NEAR(found[i][c], expected[c], 5e-6);
  }
}

TEST(CrossAttention, BeginsAsTheIdentity) {
  Parameters parameters;
  CrossAttention attention({.tokens = 3, .width = 4, .heads = 2});
  Random random(1, "fusion");
  attention.init("image", 6, 5, parameters, random);
  const at::Tensor x = noise({4, 6}, "x");
  EXPECT_TRUE(attention(x, noise({4, 5}, "y")).equal(x));
}

TEST(CrossAttention, OfASampleLooksAtThatSampleAlone) {
  const Example example;
  at::Tensor other = example.y.clone();
  other.slice(0, 1) += noise({3, 5}, "other");
  const at::Tensor before = example.attention(example.x, example.y);
  const at::Tensor after = example.attention(example.x, other);
  EXPECT_TRUE(before[0].equal(after[0]));
  EXPECT_GT((before[1] - after[1]).abs().max().item<double>(), 1e-3);
}

// Central differences in float64: their error is of the order of eps^2 = 1e-10.
TEST(CrossAttention, ItsGradientsAreDifferences) {
  Example example;
  example.to_double();
  const at::Tensor x = example.x.to(at::kDouble).set_requires_grad(true);
  const at::Tensor y = example.y.to(at::kDouble).set_requires_grad(true);
  const at::Tensor probe = noise({4, 6}, "probe").to(at::kDouble);
  const auto loss = [&] { return (at::sin(example.attention(x, y)) * probe).sum(); };
  loss().backward();
  std::vector<at::Tensor> leaves = example.parameters.tensors();
  leaves.push_back(x);
  leaves.push_back(y);
  const c10::AutoGradMode no_grad(false);
  constexpr double eps = 1e-5;
  for (const at::Tensor& leaf : leaves) {
    double* const values = leaf.data_ptr<double>();
    const double* const gradient = leaf.grad().data_ptr<double>();
    for (std::int64_t i = 0; i < leaf.numel(); ++i) {
      const double kept = values[i];
      values[i] = kept + eps;
      const double above = loss().item<double>();
      values[i] = kept - eps;
      const double below = loss().item<double>();
      values[i] = kept;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * eps), 1e-8);
    }
  }
}

}  // namespace
}  // namespace espalier
