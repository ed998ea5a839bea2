#include <espalier/dataset/prompts.hpp>
#include <vector>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const fuzz::InputFile file(fuzz::text_of(data, size));
    static_cast<void>(
        espalier::read_class_texts(file.path(), std::vector<std::string>{"a", "b c"}));
  });
}
