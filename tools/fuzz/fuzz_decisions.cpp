// A log of decisions of the reviewer `anna`. What is read must be what a shorter text, cut at its
// last good line, gives as well.
#include "review/decision_log.hpp"

#include <cstdlib>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const std::string text(fuzz::text_of(data, size));
    const auto log = espalier::read_decisions(text, "anna", "input");
    if (log.whole > text.size()) std::abort();
    const auto again = espalier::read_decisions(text.substr(0, log.whole), "anna", "input");
    if (again.standing.size() != log.standing.size() || again.last_seq != log.last_seq)
      std::abort();
  });
}
