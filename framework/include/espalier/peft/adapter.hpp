// Adapters as Hugging Face PEFT keeps them: a folder with adapter_config.json and
// adapter_model.safetensors.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/peft/targets.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace espalier {

// Tensors have the names of the file without `base_model.model.`, modules as in this encoder's
// checkpoints: `vision_model.encoder.layers.0.self_attn.q_proj.lora_A.weight`.
struct Adapter {
  Json config;
  std::vector<Parameters::Entry> tensors;
  // The content of its base's folder (core/content.hpp) in hexadecimal, as trials record it; empty:
  // not known.
  std::string base_content = {};
};

// Throws Error where the folder has no adapter, a pickled one, or a config that is no object with a
// `peft_type` or larger than 1 MiB. Floating-point numbers come as float32, integers as they are.
[[nodiscard]] Adapter read_adapter(const std::filesystem::path& folder);
// Makes the folder, and writes each file to a temporary name, syncs and renames. Float32 and
// integers. The same adapter gives the same bytes. `about` goes into the metadata of the tensors.
void write_adapter(const std::filesystem::path& folder, const Adapter& adapter,
                   const std::map<std::string, std::string>& about = {});

// Whether an adapter that names its base so (`base_model_name_or_path`: a name on a hub, a folder,
// or builtin:NAME) may be of the model in this folder: one path ends in a name that the other has,
// also as a hub's cache has it (`models--openai--clip-vit-base-patch16`).
[[nodiscard]] bool may_be_base(const std::string& named, const std::string& folder);
// What its base was and what the model in this folder is, where these differ by name or, as far as
// the adapter knows it, by content; else empty. Reads the folder's files to tell.
[[nodiscard]] std::string other_base(const Adapter& adapter, const std::filesystem::path& folder);

// Copies an adapter's tensors into those of a method by name. Throws Error with all that are
// missing, not asked for, of another shape, not finite, or integers on one side alone, and then
// copies none. `where` is for messages.
void copy_tensors(const std::vector<Parameters::Entry>& from,
                  const std::vector<Parameters::Entry>& into, const std::string& where);

// The keys that every adapter_config.json has, for these modules.
[[nodiscard]] Json adapter_config_of(std::string_view peft_type, std::vector<std::string> modules);
// The same for a method that PEFT does not know, of the component `name`: its `peft_type` is
// ESPALIER_NAME in capitals, and beside those keys it has the component's `parameters`, of which it
// can be made again.
[[nodiscard]] Json own_adapter_config(std::string_view name, const Json& parameters);
// The component of such a type; empty where it is none.
[[nodiscard]] std::string own_component(std::string_view peft_type);
// For a method that is attached before it was prepared: an adapter alone does not say what a trial
// does. Throws Error.
[[noreturn]] void refuse_unprepared();
// A whole number as an integer, as PEFT writes ranks and alphas.
[[nodiscard]] Json number(double value);
// {MODULE: value * factor} as PEFT's rank_pattern and alpha_pattern are.
[[nodiscard]] Json pattern_json(const ModulePattern& pattern, double factor);

}  // namespace espalier
