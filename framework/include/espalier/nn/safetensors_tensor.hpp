// Stored tensors as at::Tensor.
#pragma once

#include <espalier/tensor/safetensors.hpp>
#include <espalier/tensor/tensor.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// A CPU tensor of the stored type and shape that shares the mapped memory and keeps it alive; a
// copy where the bytes are not aligned for the type. Writing into it does not reach the file.
// Throws Error for the types that not every supported LibTorch has: U16, U32, U64 and the 8-bit
// floats.
[[nodiscard]] at::Tensor to_tensor(const SafeTensors& file, const TensorView& view);
// The same by name. Throws Error, with the nearest name, where there is none.
[[nodiscard]] at::Tensor to_tensor(const SafeTensors& file, std::string_view name);

// Writes CPU copies, contiguous, in their own types. Throws Error as write_safetensors() and on a
// type that the format lacks.
void write_tensors(const std::filesystem::path& file,
                   const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                   const std::map<std::string, std::string>& metadata = {});
// The same with a SHA-256 over all of it in the metadata, by which open_sealed() tells damage.
void write_sealed_tensors(const std::filesystem::path& file,
                          const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                          const std::map<std::string, std::string>& metadata);
// Throws Error where the file is no plain one, or not as write_sealed_tensors() left it.
[[nodiscard]] SafeTensors open_sealed(const std::filesystem::path& file);

}  // namespace espalier
