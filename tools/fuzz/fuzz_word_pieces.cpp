#include <espalier/text/tokenizer.hpp>

// vocab.txt, a zero byte, tokenizer_config.json.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  const auto [vocabulary, settings] = fuzz::halves(fuzz::text_of(data, size));
  folder.put("vocab.txt", vocabulary);
  folder.put("tokenizer_config.json", settings);
  return fuzz::accept_or_refuse([&] {
    const espalier::Tokenizer tokenizer = espalier::open_tokenizer(folder.path());
    static_cast<void>(tokenizer.encode("a photo of a caf\u00e9, 2 x 3"));
  });
}
