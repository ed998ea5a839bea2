#include <espalier/plugin/dataset.hpp>

#include "plugin.hpp"

// plugins/datasets/oxford_pets.cpp: annotations/trainval.txt and test.txt.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  static const fuzz::Entry pets;
  folder.put("images/Abyssinian_1.jpg", "");
  folder.put_parts({"annotations/trainval.txt", "annotations/test.txt"}, fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(pets.make<espalier::Dataset>({{"root", folder.path().string()}}));
  });
}
