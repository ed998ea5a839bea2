#include <espalier/nn/adaptable.hpp>
#include <espalier/nn/pretrained.hpp>

// config.json of a model's folder that has no weights.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  folder.put("config.json", fuzz::text_of(data, size));
  return fuzz::accept_or_refuse(
      [&] { static_cast<void>(espalier::load_pretrained(folder.path())); });
}
