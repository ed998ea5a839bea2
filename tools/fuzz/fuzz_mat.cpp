#include <espalier/plugin/dataset.hpp>

#include "plugin.hpp"

// plugins/datasets/flowers102.cpp: imagelabels.mat and setid.mat.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  static const fuzz::Entry flowers;
  // One file can hold what both are read for.
  for (const char* name : {"imagelabels.mat", "setid.mat"}) {
    folder.put(name, fuzz::text_of(data, size));
  }
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(flowers.make<espalier::Dataset>({{"root", folder.path().string()}}));
  });
}
