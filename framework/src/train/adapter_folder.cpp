#include "train/adapter_folder.hpp"

#include <espalier/nn/safetensors_tensor.hpp>
#include <espalier/peft/module_names.hpp>
#include <filesystem>
#include <map>

namespace espalier {
namespace {

constexpr std::string_view of_method = "peft.";

// By the keys of safetensors' metadata.
std::map<std::string, std::string> about(const TrialRequest& request) {
  std::map<std::string, std::string> facts = {{"espalier.trial_id", request.trial_id}};
  for (const TrialInput& input : request.inputs) {
    if (input.name.starts_with("encoder.")) facts["espalier." + input.name] = hex(input.content.digest);
  }
  return facts;
}

Json base_of(const Json& encoder) {
  const auto weights = encoder.find("weights");
  return weights != encoder.end() && weights->is_string() ? *weights : Json();
}

}  // namespace

void save_adapter(const TrialSetting& setting, const AdaptedEncoder* adapted,
                  const Parameters& parameters, const std::vector<std::string>& class_names) {
  std::vector<Parameters::Entry> inside, behind;
  for (const auto& [name, tensor] : parameters.entries()) {
    if (name.starts_with(of_method)) {
      inside.emplace_back(name.substr(of_method.size()), tensor);
    } else {
      behind.emplace_back(name, tensor);
    }
  }
  const std::filesystem::path folder = setting.request().folder / "adapter";
  const std::map<std::string, std::string> facts = about(setting.request());
  const Json config = adapted != nullptr ? adapted->method().adapter_config() : Json();
  if (!config.is_null()) {
    Adapter adapter = with_names_there(
        {.config = config, .tensors = adapted->method().adapter_tensors(std::move(inside))},
        adapted->model());
    adapter.config["base_model_name_or_path"] = base_of(setting.config_of("encoder"));
    write_adapter(folder, adapter, facts);
  }
  if (behind.empty()) return;
  std::filesystem::create_directories(folder);
  std::map<std::string, std::string> metadata = facts;
  metadata["classes"] = Json(class_names).dump();
  write_tensors(folder / "network.safetensors", behind, metadata);
}

}  // namespace espalier
