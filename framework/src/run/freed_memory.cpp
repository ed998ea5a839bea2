#include "run/freed_memory.hpp"

#include <malloc.h>

#include <cstddef>

namespace espalier {

void keep_freed_memory() {
  constexpr int never = -1;
  ::mallopt(M_TRIM_THRESHOLD, never);
  ::mallopt(M_MMAP_MAX, 0);
}

void give_back_freed_memory() {
  constexpr std::size_t little = std::size_t{64} << 20;
  if (::mallinfo2().fordblks > little) ::malloc_trim(little);
}

}  // namespace espalier
