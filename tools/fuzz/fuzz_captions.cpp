// A file of captions; what is read of a set is written and read again.
#include <cstdlib>
#include <espalier/caption/caption_file.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  return fuzz::accept_or_refuse([&] {
    folder.put("captions", fuzz::text_of(data, size));
    const auto set = espalier::read_captions(folder.path() / "captions");
    for (const espalier::CaptionRecord& record : set.records()) {
      const espalier::AnsweredCaption& caption = record.caption;
      if (record.id.empty() || caption.text.size() > espalier::longest_caption) std::abort();
      if (has_text(caption.answer) == caption.text.empty()) std::abort();
    }
    const std::string text = set.text();
    if (espalier::CaptionSet::parse(text, "again").text() != text) std::abort();
  });
}
