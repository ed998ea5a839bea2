// What an end in the middle left of a caption set.
#include "caption/caption_journal.hpp"

#include <cstdlib>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const std::string text(fuzz::text_of(data, size));
    const espalier::JournalText journal = espalier::read_journal(text, "journal");
    if (journal.whole > text.size()) std::abort();
    for (const auto& [id, record] : journal.records) {
      if (id != record.id || !record_fault(record).empty()) std::abort();
    }
  });
}
