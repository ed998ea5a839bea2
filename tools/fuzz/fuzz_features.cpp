// A file of features, HDF5 or safetensors by its first bytes.
#include "datasets/features/checked.hpp"

#include "fuzz.hpp"

// As in fuzz_result.cpp: HDF5 itself leaks on files that it refuses.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:allocator_may_return_null=1";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  namespace given = espalier::given;
  return fuzz::accept_or_refuse([&] {
    const fuzz::InputFile file(fuzz::text_of(data, size));
    const given::Checked read =
        given::checked(file.path(), given::read_content(file.path()), false);
    float sum = 0;
    for (const float value : read.features.images.values) sum += value;
    [[maybe_unused]] volatile float keep = sum;
  });
}
