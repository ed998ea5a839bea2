#include "cache/stage_part.hpp"
#include "tensor/seal.hpp"

// As it is, and with a seal that fits.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  const auto part = folder.path() / "part-0.safetensors";
  folder.put("part-0.safetensors", fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(espalier::StagePart::open(part));
    const auto tensors = espalier::SafeTensors::open(part);
    espalier::write_safetensors(part, tensors.tensors(),
                                espalier::sealed(tensors.tensors(), tensors.metadata()));
    const auto opened = espalier::StagePart::open(part);
    if (const auto* whole = std::get_if<espalier::StagePart>(&opened)) {
      if (std::ssize(whole->ids()) != espalier::StagePart::count_samples(part)) std::abort();
    }
  });
}
