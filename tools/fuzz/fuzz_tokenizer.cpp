#include <espalier/data/tokenizer.hpp>
#include <fstream>

#include "fuzz.hpp"

namespace {

// One folder for the whole run, in memory where the system has such a place.
std::filesystem::path folder() {
  static const std::filesystem::path made = [] {
    std::string name = std::filesystem::exists("/dev/shm") ? "/dev/shm/fuzz_tokenizer_XXXXXX"
                                                           : "/tmp/fuzz_tokenizer_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    return std::filesystem::path(name);
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  std::ofstream(folder() / "tokenizer.json", std::ios::binary) << fuzz::text_of(data, size);
  return fuzz::accept_or_refuse([&] {
    const espalier::Tokenizer tokenizer = espalier::open_tokenizer(folder());
    static_cast<void>(tokenizer.encode("a photo of a caf\u00e9, 2 x 3"));
  });
}
