#include <cstdlib>
#include <espalier/text/sentence_modules.hpp>

// modules.json and the files that it names.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  folder.put_parts({"modules.json", "1_Pooling/config.json", "2_Normalize/config.json",
                    "config_sentence_transformers.json"},
                   fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    espalier::Problems problems;
    const auto modules = espalier::read_sentence_modules(folder.path(), problems);
    if (modules.model != espalier::model_folder(folder.path())) std::abort();
  });
}
