// Random inputs for kernels, and the checks that all of them have to pass.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <espalier/core/random.hpp>
#include <espalier/graph/csr.hpp>
#include <functional>
#include <vector>

#include "libtorch_threads.hpp"

namespace espalier::testing_support {

inline at::Tensor random_tensor(at::IntArrayRef sizes, Random& random,
                                at::ScalarType type = at::kDouble) {
  at::Tensor tensor = at::empty(sizes, at::kDouble);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<double>()[i] = random.normal();
  }
  return tensor.to(type);
}

inline CsrGraph random_edges(std::int64_t targets, std::int64_t sources, int edges,
                             Random& random) {
  std::vector<Edge> list;
  for (int e = 0; e < edges; ++e) {
    list.push_back({static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(targets))),
                    static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(sources))),
                    static_cast<float>(random.uniform(0.1, 2))});
  }
  return graph_from_edges(targets, sources, list);
}

// Half of the edges arrive at target 0, and half leave source 0.
inline CsrGraph graph_with_hubs(std::int64_t nodes, int edges, Random& random) {
  std::vector<Edge> list;
  for (int e = 0; e < edges; ++e) {
    const auto node = [&](bool hub) {
      const auto any = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(nodes)));
      return hub ? std::int64_t{0} : any;
    };
    list.push_back({node(e % 4 < 2), node(e % 4 == 2 || e % 4 == 3), 1.0F});
  }
  return graph_from_edges(nodes, nodes, list);
}

using Kernel = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

// Gradients of a random projection of the kernel against central differences in double: their error
// is of order h^2 plus 1e-16 / h, so below 1e-8 at h = 1e-5. No input may be near a kink.
inline void expect_right_gradients(const Kernel& kernel, std::vector<at::Tensor> inputs) {
  Random random(std::uint64_t{99});
  for (at::Tensor& input : inputs) input = input.clone().set_requires_grad(true);
  const at::Tensor y = kernel(inputs);
  const at::Tensor probe = random_tensor(y.sizes(), random);
  (y * probe).sum().backward();
  std::vector<at::Tensor> values;
  for (const at::Tensor& input : inputs) values.push_back(input.detach());
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    ASSERT_TRUE(inputs[n].grad().defined()) << "input " << n;
    const at::Tensor gradient = inputs[n].grad().contiguous();
    for (std::int64_t i = 0; i < gradient.numel(); ++i) {
      double* const value = values[n].data_ptr<double>() + i;
      const double kept = *value;
      const auto loss = [&](double shifted) {
        *value = shifted;
        return (kernel(values) * probe).sum().item<double>();
      };
      const double slope = (loss(kept + 1e-5) - loss(kept - 1e-5)) / 2e-5;
      *value = kept;
      ASSERT_NEAR(gradient.data_ptr<double>()[i], slope, 1e-7) << "input " << n << ", entry " << i;
    }
  }
}

// Result and gradients are the same bits with one thread and with three.
inline void expect_the_same_bits(const Kernel& kernel, const std::vector<at::Tensor>& inputs) {
  const int before = at::get_num_threads();
  const auto run = [&](int threads) {
    set_threads(threads);
    std::vector<at::Tensor> leaves;
    for (const at::Tensor& input : inputs) leaves.push_back(input.clone().set_requires_grad(true));
    const at::Tensor y = kernel(leaves);
    (y * y).sum().backward();
    std::vector<at::Tensor> results = {y.detach()};
    for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
    return results;
  };
  const auto one = run(1);
  const auto three = run(3);
  set_threads(before);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

}  // namespace espalier::testing_support
