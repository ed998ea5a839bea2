#include <cstdlib>
#include <espalier/core/json.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const espalier::Json value = espalier::parse_json(fuzz::text_of(data, size), "input");
    const std::string canonical = espalier::canonical_json(value);
    const espalier::Json again = espalier::parse_json(canonical, "canonical");
    if (espalier::canonical_json(again) != canonical) std::abort();
  });
}
