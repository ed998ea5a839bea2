#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "vectors_internal.hpp"

namespace espalier {
namespace {

Vectors of_processor() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return Vectors::avx512;
  }
  if (__builtin_cpu_supports("avx2")) return Vectors::avx2;
#endif
  return Vectors::baseline;
}

Vectors allowed() {
  const char* const set = std::getenv("ATEN_CPU_CAPABILITY");
  const std::string_view name = set == nullptr ? "" : set;
  if (name == "default") return Vectors::baseline;
  return name == "avx2" ? Vectors::avx2 : Vectors::avx512;
}

}  // namespace

Vectors widest_vectors() {
  static const Vectors widest = std::min(of_processor(), allowed());
  return widest;
}

}  // namespace espalier
