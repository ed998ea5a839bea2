#include <espalier/tensor/safetensors.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const fuzz::InputFile file(fuzz::text_of(data, size));
    const espalier::SafeTensors tensors = espalier::SafeTensors::open(file.path());
    std::size_t sum = 0;
    for (const espalier::TensorView& tensor : tensors.tensors()) {
      for (std::size_t i = 0; i < tensor.bytes; ++i)
        sum += std::to_integer<std::size_t>(tensor.data[i]);
    }
    [[maybe_unused]] volatile std::size_t keep = sum;
  });
}
