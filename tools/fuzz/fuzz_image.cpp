#include <espalier/image/decode.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    espalier::DecodeOptions options;
    options.max_pixels = 1 << 20;
    options.upright = true;
    static_cast<void>(espalier::decode_image(fuzz::text_of(data, size), "input", options));
  });
}
