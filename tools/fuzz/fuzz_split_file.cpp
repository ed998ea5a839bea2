#include <cstdlib>
#include <espalier/dataset/split_file.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const fuzz::InputFile file(fuzz::text_of(data, size));
    espalier::Problems problems;
    const auto list = espalier::read_split_file(file.path(), "images", problems);
    if (!problems.empty()) return;
    for (const espalier::Sample& sample : list.samples) {
      const auto label = static_cast<std::size_t>(sample.label);
      if (label >= list.class_names.size() || sample.id.find("..") == 0) std::abort();
    }
  });
}
