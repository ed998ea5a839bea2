#include <espalier/nn/denormals.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <gtest/gtest.h>

#include <espalier/nn/parallel.hpp>
#include <thread>

#include "libtorch_threads.hpp"

namespace espalier {
namespace {

// Its sums would be 1e-39 times 256.
bool are_zeros() {
  return at::mm(at::full({64, 256}, 1e-20F), at::full({256, 64}, 1e-19F)).eq(0).all().item<bool>();
}

// As main() has it.
TEST(Denormals, AreZerosInEveryThread) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "LibTorch does so on x86 processors";
#endif
  EXPECT_TRUE(are_zeros());
  std::thread([] { EXPECT_TRUE(are_zeros()); }).join();
  const int before = at::get_num_threads();
  testing_support::set_threads(2);
  parallel_for(0, 2, 1, [](std::int64_t, std::int64_t) { EXPECT_TRUE(are_zeros()); });
  testing_support::set_threads(before);
}

}  // namespace
}  // namespace espalier
