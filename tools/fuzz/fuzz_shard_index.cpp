#include <cstdlib>
#include <espalier/tensor/safetensors.hpp>

#include "fuzz.hpp"

// The index of sharded weights, beside two shards that are whole.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  static const fuzz::InputFolder folder;
  static const bool shards = [] {
    const std::byte bytes[4]{};
    for (const char* name : {"a", "b"}) {
      const espalier::TensorView tensor{.name = name,
                                        .dtype = espalier::DType::f32,
                                        .shape = {1},
                                        .data = bytes,
                                        .bytes = sizeof bytes};
      const std::string file = std::string(name) + ".safetensors";
      espalier::write_safetensors(folder.path() / file, std::span(&tensor, 1));
    }
    return true;
  }();
  folder.put("model.safetensors.index.json", fuzz::text_of(data, size));
  return fuzz::accept_or_refuse([&] {
    const auto tensors = espalier::SafeTensors::open_folder(folder.path()).tensors();
    if (!shards || tensors.size() > 2) std::abort();
  });
}
