#include "graph/vectors_internal.hpp"

#include <cstdio>
#include <cstdlib>
#include <espalier/core/hash.hpp>
#include <espalier/graph/attention.hpp>
#include <espalier/graph/segment.hpp>
#include <espalier/graph/spmm.hpp>

#include "graph/kernels.hpp"

namespace espalier {
namespace {

using testing_support::graph_with_hubs;
using testing_support::random_tensor;

// Of what kernels and their gradients give for 300 nodes of 37 numbers in one head and of 2 x 35 in
// two: no multiples of any vector.
std::string digest_of_kernels() {
  Random random(std::uint64_t{7});
  const CsrGraph graph = graph_with_hubs(300, 2000, random);
  const auto drawn = [&](at::IntArrayRef sizes) {
    return random_tensor(sizes, random, at::kFloat).set_requires_grad(true);
  };
  const at::Tensor x = drawn({300, 37}), in_heads = drawn({300, 70});
  const at::Tensor weight = drawn({graph.edges(), 2});
  std::string bytes;
  const auto add = [&](const at::Tensor& tensor) {
    const at::Tensor plain = tensor.detach().contiguous();
    bytes.append(static_cast<const char*>(plain.data_ptr()), plain.nbytes());
  };
  const auto add_with_gradients = [&](const at::Tensor& y) {
    y.backward(random_tensor(y.sizes(), random, at::kFloat));
    add(y);
    for (const at::Tensor& leaf : {x, in_heads, weight}) {
      if (!leaf.grad().defined()) continue;
      add(leaf.grad());
      leaf.mutable_grad() = at::Tensor();
    }
  };
  add_with_gradients(spmm(graph, {}, x));
  add_with_gradients(spmm(graph, weight, in_heads));
  add_with_gradients(neighbour_max(graph, x));
  add_with_gradients(segment_sum(graph, weight));
  add_with_gradients(segment_softmax(graph, weight));
  add_with_gradients(edge_products(graph, in_heads, in_heads, 2));
  return hex(sha256(bytes));
}

class VectorsTest : public testing::TestWithParam<const char*> {
 protected:
  // What this process uses is settled before fewer are asked of the next one.
  const Vectors widest_ = widest_vectors();

  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");  // a process of its own, begun anew
    ::setenv("ATEN_CPU_CAPABILITY", GetParam(), 1);
  }
  void TearDown() override { ::unsetenv("ATEN_CPU_CAPABILITY"); }
};

TEST_P(VectorsTest, OfAnyWidthGiveTheSameBits) {
  const std::string expected = digest_of_kernels();
  EXPECT_EXIT(
      {
        std::fprintf(stderr, "%s", digest_of_kernels().c_str());
        std::exit(0);
      },
      testing::ExitedWithCode(0), expected);
}
INSTANTIATE_TEST_SUITE_P(Narrow, VectorsTest, testing::Values("default", "avx2"));

TEST_P(VectorsTest, AreNoWiderThanAsked) {
  EXPECT_EXIT(
      {
        std::fprintf(stderr, "%d", static_cast<int>(widest_vectors()));
        std::exit(0);
      },
      testing::ExitedWithCode(0), GetParam() == std::string("default") ? "^0$" : "^[01]$");
}

}  // namespace
}  // namespace espalier
