#include <espalier/plugin/dataset.hpp>

#include "plugin.hpp"

// plugins/datasets/food101.cpp: meta/classes.txt, train.txt and test.txt.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  static const fuzz::Entry food;
  folder.put("images/ramen/1.jpg", "");
  folder.put_parts({"meta/classes.txt", "meta/train.txt", "meta/test.txt"},
                   fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(food.make<espalier::Dataset>({{"root", folder.path().string()}}));
  });
}
