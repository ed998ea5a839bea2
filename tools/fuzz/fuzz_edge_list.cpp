#include <espalier/dataset/edge_file.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse(
      [&] { static_cast<void>(espalier::parse_edge_list(fuzz::text_of(data, size), "input")); });
}
