#include <espalier/plugin/dataset.hpp>

#include "plugin.hpp"

// plugins/datasets/manifest.cpp: a CSV of photos.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  static const fuzz::Entry manifest;
  folder.put("manifest.csv", fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(manifest.make<espalier::Dataset>({{"root", folder.path().string()}}));
  });
}
