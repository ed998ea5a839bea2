#include <cstdlib>
#include <espalier/core/content.hpp>

// The remembered hashes of files.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  folder.put("memo", fuzz::text_of(data, size));
  folder.put("file", "x");
  return fuzz::accept_or_refuse([&] {
    espalier::ContentHasher hasher(folder.path() / "memo");
    static_cast<void>(hasher.digest(folder.path() / "file"));
    if (!hasher.save()) std::abort();
  });
}
