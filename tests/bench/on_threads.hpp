// Measured on one thread and on two, in milliseconds, with the processor time beside the wall's.
#pragma once

#include <benchmark/benchmark.h>

namespace espalier::bench {

template <class Measured>
void on_threads(const char* name, const Measured& measured) {
  benchmark::RegisterBenchmark(name, measured)
      ->Arg(1)
      ->Arg(2)
      ->MeasureProcessCPUTime()
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace espalier::bench
