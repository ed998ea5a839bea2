#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/nn/parallel.hpp>

namespace espalier {

void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain,
                  c10::function_ref<void(std::int64_t, std::int64_t)> f) {
  at::parallel_for(begin, end, grain, f);
}

// A loop of two turns at least, since one of a single turn leaves LibTorch its threads.
void for_each_alone(std::int64_t n, c10::function_ref<void(std::int64_t)> f) {
  parallel_for(0, std::max<std::int64_t>(n, 2), 1, [&](std::int64_t begin, std::int64_t end) {
    const c10::AutoGradMode without_gradients(false);
    for (std::int64_t i = begin; i < std::min(end, n); ++i) f(i);
  });
}

}  // namespace espalier
