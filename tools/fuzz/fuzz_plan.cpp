#include "results/sweep_table.hpp"
#include <espalier/core/hash.hpp>
#include <espalier/core/json.hpp>

// The lines behind a header that fits them.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  const std::string_view lines = fuzz::text_of(data, size);
  const espalier::Json header = {{"plan", 1},
                                 {"name", "fuzz"},
                                 {"axes", {"graph.tau", "gnn", "seed"}},
                                 {"sha256", espalier::hex(espalier::sha256(lines))}};
  folder.put("plan.jsonl", header.dump() + "\n" + std::string(lines));
  return fuzz::accept_or_refuse([&] {
    const auto sweep = espalier::SweepTable::read(folder.path(), false);
    static_cast<void>(to_csv(trials_table(sweep)));
  });
}
