#include "results/result_file.hpp"

#include "fuzz.hpp"

// On some files that it refuses HDF5 itself leaks, or asks for more memory than there is and copes.
// Run with -malloc_limit_mb=1000000.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:allocator_may_return_null=1";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse(
      [&] { static_cast<void>(espalier::parse_result(fuzz::text_of(data, size), "input")); });
}
