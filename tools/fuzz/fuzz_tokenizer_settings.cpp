#include <espalier/text/tokenizer.hpp>

// What stands beside a vocabulary.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  folder.put("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nphoto\nof\n##s\n");
  folder.put_parts({"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                    "sentence_bert_config.json", "config.json"},
                   fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    const espalier::Tokenizer tokenizer = espalier::open_tokenizer(folder.path());
    static_cast<void>(tokenizer.encode("a photo of [MASK] caf\u00e9s"));
  });
}
