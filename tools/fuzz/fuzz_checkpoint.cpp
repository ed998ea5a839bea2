#include "train/checkpoint.hpp"

// What a checkpoint says beside its tensors.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(
        espalier::parse_checkpoint_state(fuzz::text_of(data, size), "input", "trial"));
  });
}
