// Safetensors files of Espalier's own, which say the SHA-256 of what they hold in their metadata.
#pragma once

#include <espalier/tensor/safetensors.hpp>
#include <map>
#include <span>
#include <string>

namespace espalier {

using Metadata = std::map<std::string, std::string>;

// Over the metadata but the seal itself, and over names, types, shapes and bytes of the tensors in
// the order of their names; in hexadecimal.
[[nodiscard]] std::string seal_of(std::span<const TensorView> tensors, const Metadata& metadata);

// `metadata` with the seal of it and of `tensors`.
[[nodiscard]] Metadata sealed(std::span<const TensorView> tensors, Metadata metadata);

// Whether a file has the seal that fits it.
[[nodiscard]] bool seal_holds(const SafeTensors& file);

}  // namespace espalier
