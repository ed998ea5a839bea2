#include "results/sweep_table.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  folder.put("plan.jsonl", fuzz::text_of(data, size));
  return fuzz::accept_or_refuse(
      [&] { static_cast<void>(espalier::PlanTable::read(folder.path() / "plan.jsonl")); });
}
