// main() of the tests that use LibTorch. Numbers below 1e-38 are zeros, as in workers. Its threads,
// and with them the BLAS's, are set before anything is computed: LibTorch sets them in mid-process
// otherwise, and products then round anew.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <espalier/nn/denormals.hpp>

int main(int argc, char** argv) {
  espalier::flush_denormals();
  const char* given = std::getenv("ESPALIER_TEST_THREADS");
  at::set_num_threads(given == nullptr ? 1 : std::max(1, std::atoi(given)));
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
