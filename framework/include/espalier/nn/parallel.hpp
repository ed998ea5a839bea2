// Loops on the threads that at::set_num_threads() allows. at::parallel_for() is one only where its
// caller is compiled with OpenMP, and else silently one call.
#pragma once

#include <c10/util/C++17.h>  // which 1.13 needs before the next
#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace espalier {

// f(from, to) for pieces that are together [begin, end), none but the last shorter than `grain`.
// Where there are two or more, what LibTorch computes in f uses no further threads, and neither do
// loops in f. Throws what f throws. Whether gradients are recorded is each thread's own setting.
// One call in a build without GCC's OpenMP.
void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain,
                  c10::function_ref<void(std::int64_t, std::int64_t)> f);

// f(i) for each 0 <= i < n, each in one thread, also where there is but one of them, and without
// gradients: how many threads there are does not change what f computes.
void for_each_alone(std::int64_t n, c10::function_ref<void(std::int64_t)> f);

}  // namespace espalier
