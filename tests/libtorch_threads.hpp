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

}  // namespace espalier::testing_support
