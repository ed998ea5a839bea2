// What an open set of tensors holds; shared by the sources of safetensors.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/tensor/mapped_file.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <functional>
#include <map>

namespace espalier::detail {

struct TensorSet {
  std::filesystem::path path;
  std::vector<std::shared_ptr<MappedFile>> mappings;
  std::vector<TensorView> tensors;
  std::map<std::string, std::size_t, std::less<>> index;
  std::map<std::string, std::string> metadata;
};

// Adds the tensors of one file to `set`, each name once.
void read_safetensors(const std::filesystem::path& file, TensorSet& set);

}  // namespace espalier::detail
