#include "train/cost.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace espalier {

void CostMeter::add_to(Cost& sum, c10::Device device) {
  if (!device.is_cpu()) {
    c10::impl::VirtualGuardImpl(device.type()).getStream(device).synchronize();
  }
  const auto now = std::chrono::steady_clock::now();
  const std::int64_t counted = counter_.count();
  sum.seconds += std::chrono::duration<double>(now - start_).count();
  sum.flops += counted - counted_;
  start_ = now;
  counted_ = counted;
}

}  // namespace espalier
