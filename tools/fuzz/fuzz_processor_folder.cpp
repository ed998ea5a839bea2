#include <cstdlib>
#include <espalier/image/transform.hpp>

// What a model's folder says of how pictures are prepared, in files that may disagree.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  folder.put_parts({"processor_config.json", "preprocessor_config.json", "config.json"},
                   fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    const auto preprocessing = espalier::Preprocessing::from_folder(folder.path());
    const espalier::ImageTransform transform(preprocessing);
    if (transform.floats() < 3) std::abort();
  });
}
