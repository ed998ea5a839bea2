#include <espalier/core/predicate.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    using espalier::Predicate;
    const Predicate predicate = Predicate::parse(fuzz::text_of(data, size), "input");
    static_cast<void>(
        predicate.holds({.value = [](std::string_view) { return nullptr; },
                         .has = [](std::string_view, std::string_view) { return true; }}));
  });
}
