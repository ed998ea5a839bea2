#include <ATen/Parallel.h>

#include <espalier/nn/parallel.hpp>

namespace espalier {

void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain,
                  c10::function_ref<void(std::int64_t, std::int64_t)> f) {
  at::parallel_for(begin, end, grain, f);
}

}  // namespace espalier
