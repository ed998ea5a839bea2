// Floating-point operations of matrix products and convolutions, counted as they are run: a
// multiplication and an addition are two. What has no products (norms, activations, sums) is left
// out, as torch.utils.flop_counter leaves it out.
#pragma once

#include <cstdint>

namespace espalier {

// Counts for as long as it lives, in all threads of the process. Several may live at once.
class FlopCounter {
 public:
  FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;
  ~FlopCounter();

  // Since it was made.
  [[nodiscard]] std::int64_t count() const;

 private:
  std::int64_t start_;
};

}  // namespace espalier
