#include <espalier/plugin/dataset.hpp>

#include "plugin.hpp"

// plugins/datasets/flowers102.cpp: imagelabels.mat and setid.mat.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  static const fuzz::Entry flowers;
  const auto [labels, split] = fuzz::halves(fuzz::text_of(data, size));
  folder.put("imagelabels.mat", labels.size() > 128 ? labels : fuzz::text_of(data, size));
  folder.put("setid.mat", split.empty() ? fuzz::text_of(data, size) : split);
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(flowers.make<espalier::Dataset>({{"root", folder.path().string()}}));
  });
}
