#include <espalier/caption/class_names.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  return fuzz::accept_or_refuse([&] {
    folder.put("synonyms", fuzz::text_of(data, size));
    const espalier::Synonyms synonyms = espalier::read_synonyms(folder.path() / "synonyms");
    std::vector<std::string> classes;
    for (const auto& [name, others] : synonyms) classes.push_back(name);
    (void)espalier::ClassNames(classes, synonyms).named("a rose is a rose");
  });
}
