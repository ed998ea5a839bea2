// How many threads LibTorch computes with in a test.
#pragma once

#include <ATen/Parallel.h>

namespace espalier::testing_support {

// One under the thread sanitizer, which cannot look into the OpenMP runtime that LibTorch's threads
// are from and takes their work for races.
inline void set_threads(int count) {
#if defined(__SANITIZE_THREAD__)
  count = 1;
#endif
  at::set_num_threads(count);
}

// Whether parallel_for() is compiled with GCC's OpenMP, and so has threads.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
inline constexpr bool loops_have_threads = true;
#else
inline constexpr bool loops_have_threads = false;
#endif

}  // namespace espalier::testing_support
