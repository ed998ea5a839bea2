// Loops compiled once for each of the processor's vector instructions.
#pragma once

#include <cstdint>

namespace espalier {

enum class Vectors { baseline, avx2, avx512 };

// The widest that this processor has; less where ATEN_CPU_CAPABILITY, which LibTorch obeys as well,
// says so (`default`, `avx2`).
[[nodiscard]] Vectors widest_vectors();

// work(), with the widest vectors. Sums keep the order that is written down, and products are not
// fused into sums (-ffp-contract=off), so the bits are the same with all of them.
template <class Work>
void run_on_widest(const Work& work);

#if defined(__x86_64__)

// Flattened: what `work` calls is compiled for the same instructions.
template <class Work>
[[gnu::flatten, gnu::target("avx2")]] void run_on_avx2(const Work& work) {
  work();
}
template <class Work>
[[gnu::flatten, gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl")]] void run_on_avx512(
    const Work& work) {
  work();
}

template <class Work>
void run_on_widest(const Work& work) {
  const Vectors widest = widest_vectors();
  if (widest == Vectors::avx512) return run_on_avx512(work);
  if (widest == Vectors::avx2) return run_on_avx2(work);
  work();
}

#else

template <class Work>
void run_on_widest(const Work& work) {
  work();
}

#endif

}  // namespace espalier
