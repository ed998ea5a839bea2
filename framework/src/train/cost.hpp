// What a part of a trial costs: time, and operations of its matrix products.
#pragma once

#include <c10/core/Device.h>

#include <chrono>
#include <cstdint>
#include <espalier/nn/flops.hpp>

namespace espalier {

struct Cost {
  double seconds = 0;
  std::int64_t flops = 0;

  Cost& operator+=(const Cost& more) {
    seconds += more.seconds;
    flops += more.flops;
    return *this;
  }
};

// Measures from when it is made, or was asked last.
class CostMeter {
 public:
  // Waits for what the device has been told to do.
  void add_to(Cost& sum, c10::Device device);

 private:
  FlopCounter counter_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::int64_t counted_ = 0;
};

}  // namespace espalier
