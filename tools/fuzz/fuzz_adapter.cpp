#include <espalier/peft/combine.hpp>
#include <espalier/peft/published.hpp>

// An adapter's folder: its config up to a zero byte, then its tensors.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  const auto [config, tensors] = fuzz::halves(fuzz::text_of(data, size));
  folder.put("adapter_config.json", config);
  folder.put("adapter_model.safetensors", tensors);
  return fuzz::accept_or_refuse([&] {
    const espalier::Adapter adapter = espalier::read_adapter(folder.path());
    static_cast<void>(espalier::published_method(adapter.config, "input"));
    static_cast<void>(espalier::combine({adapter, adapter}, {0.5, 0.5}, espalier::Combination::cat));
  });
}
