// What this machine gives a trial, and what keeps it slow.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <espalier/core/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

enum class BlasFlavour {
  openblas_openmp,
  openblas_threads,
  openblas_serial,
  reference,
  mkl,
  other
};

[[nodiscard]] std::string_view to_string(BlasFlavour flavour);

// The library that multiplies matrices in float32.
struct Blas {
  BlasFlavour flavour = BlasFlavour::other;
  std::string file;     // empty where it is part of LibTorch
  std::string kernels;  // openblas_core()
};

// The BLAS among mapped files, given as /proc/<pid>/maps; `mkl_inside` where LibTorch has its own.
[[nodiscard]] Blas blas_of(std::string_view maps, bool mkl_inside);

// The processor whose kernels OpenBLAS multiplies with here, such as `SkylakeX`; empty with another
// BLAS.
[[nodiscard]] std::string openblas_core();

// Rates of a square product, in 1e9 multiplications and additions a second.
struct MatmulRates {
  double one_thread = 0;
  double all_threads = 0;
};

struct Machine {
  std::string cpu;
  std::int64_t cores = 1;                 // that this process may use
  std::vector<std::string> instructions;  // of those that matter here
  std::string libtorch;
  std::string libtorch_file;
  std::int64_t libtorch_threads = 1;  // LibTorch's own default
  std::int64_t gpus = 0;
  Blas blas;
  bool native_bfloat16 = false;
  MatmulRates float32;
  MatmulRates bfloat16;
  double busy = 0;  // share of all cores that other programs took while the rates were measured
};

// Looks and measures, in about two seconds. Leaves the number of threads as it was.
[[nodiscard]] Machine inspect_machine();

// What is wrong with it and how to repair it; empty where nothing is.
[[nodiscard]] std::vector<Problem> machine_problems(const Machine& machine);

}  // namespace espalier
