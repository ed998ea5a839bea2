// Loading copies of model folders that a test has changed.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <functional>
#include <string>
#include <vector>

#include "nn/cases.hpp"

namespace espalier::testing_support {

inline std::vector<Problem> problems_of(const std::filesystem::path& folder,
                                        const PretrainedOptions& options = {}) {
  try {
    (void)load_pretrained(folder, options);
  } catch (const Error& error) {
    return error.problems();
  }
  return {};
}

inline std::string text_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += to_string(problem) + "\n";
  return text;
}

inline void edit_config(const std::filesystem::path& folder,
                        const std::function<void(Json&)>& edit) {
  Json config = parse_json(read_file(folder / "config.json"), "config.json");
  edit(config);
  write_file(folder / "config.json", config.dump());
}

inline void edit_weights(const std::filesystem::path& folder,
                         const std::function<void(NamedTensors&)>& edit) {
  NamedTensors tensors = read_named_tensors(folder / "model.safetensors");
  for (auto& [name, tensor] : tensors) tensor = tensor.clone();
  edit(tensors);
  write_tensors(folder / "model.safetensors", {tensors.begin(), tensors.end()});
}

}  // namespace espalier::testing_support
