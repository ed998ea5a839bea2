#include "results/journal.hpp"
#include "results/trial_record.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  folder.put("journal.jsonl", fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    static_cast<void>(espalier::read_journal(folder.path() / "journal.jsonl"));
    static_cast<void>(espalier::read_trial(folder.path()));
  });
}
