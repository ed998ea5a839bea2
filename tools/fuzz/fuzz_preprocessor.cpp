#include <cstdlib>
#include <espalier/core/json.hpp>
#include <espalier/image/transform.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const auto config = espalier::parse_json(fuzz::text_of(data, size), "input");
    const auto preprocessing = espalier::Preprocessing::from_json(config, "input");
    const espalier::ImageTransform transform(preprocessing);
    if (transform.floats() < 3) std::abort();
  });
}
