#include <cstdlib>
#include <espalier/dataset/caption_file.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  return fuzz::accept_or_refuse([&] {
    folder.put("captions", fuzz::text_of(data, size));
    for (const auto& [id, text] : espalier::read_captions(folder.path() / "captions")) {
      if (id.empty() || text.empty() || text.size() > 8192) std::abort();
    }
  });
}
