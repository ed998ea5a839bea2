#include "run/protocol.hpp"

// What the host sends to a worker.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse([&] {
    const auto json = espalier::Json::parse(fuzz::text_of(data, size), nullptr, false);
    if (json.is_object()) static_cast<void>(espalier::request_from_json(json));
  });
}
