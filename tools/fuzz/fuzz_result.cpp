#include "results/result_file.hpp"

#include "fuzz.hpp"

// HDF5 itself leaks on some files that it refuses.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse(
      [&] { static_cast<void>(espalier::parse_result(fuzz::text_of(data, size), "input")); });
}
