#include "train/adapter_folder.hpp"

#include <espalier/nn/safetensors_tensor.hpp>
#include <espalier/peft/module_names.hpp>
#include <filesystem>
#include <map>

namespace espalier {
namespace {

constexpr const char* of_method = "peft.";

// Those whose names begin so, without that.
std::vector<Parameters::Entry> behind(const std::string& prefix,
                                      const std::vector<Parameters::Entry>& entries) {
  std::vector<Parameters::Entry> found;
  for (const auto& [name, tensor] : entries) {
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), tensor);
  }
  return found;
}

// By the keys of safetensors' metadata.
std::map<std::string, std::string> about(const TrialRequest& request) {
  std::map<std::string, std::string> facts = {{"espalier.trial_id", request.trial_id}};
  for (const TrialInput& input : request.inputs) {
    if (input.name.starts_with("encoder."))
      facts["espalier." + input.name] = hex(input.content.digest);
  }
  return facts;
}

Json base_of(const Json& encoder) {
  const auto weights = encoder.find("weights");
  return weights != encoder.end() && weights->is_string() ? *weights : Json();
}

// Of one method: its parameters under the names that it gave them.
void save_method(const std::filesystem::path& folder, const Peft& method,
                 const std::vector<Parameters::Entry>& parameters, const AdaptableEncoder& model,
                 const Json& base, const std::map<std::string, std::string>& facts) {
  for (const auto& [name, part] : method.parts()) {
    save_method(folder / name, *part, behind(name + ".", parameters), model, base, facts);
  }
  const Json config = method.adapter_config();
  if (config.is_null()) return;
  Adapter adapter =
      with_names_there({.config = config, .tensors = method.adapter_tensors(parameters)}, model);
  adapter.config["base_model_name_or_path"] = base;
  write_adapter(folder, adapter, facts);
}

std::int64_t bytes_in(const std::filesystem::path& folder) {
  std::int64_t sum = 0;
  if (!std::filesystem::exists(folder)) return sum;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) sum += static_cast<std::int64_t>(entry.file_size());
  }
  return sum;
}

}  // namespace

std::int64_t save_adapter(const TrialSetting& setting, const AdaptedEncoder* adapted,
                          const Parameters& parameters,
                          const std::vector<std::string>& class_names) {
  const std::filesystem::path folder = setting.request().folder / "adapter";
  const std::map<std::string, std::string> facts = about(setting.request());
  if (adapted != nullptr) {
    save_method(folder, adapted->method(), behind(of_method, parameters.entries()),
                adapted->model(), base_of(setting.config_of("encoder")), facts);
  }
  std::vector<Parameters::Entry> network = parameters.entries();
  std::erase_if(network, [](const auto& entry) { return entry.first.starts_with(of_method); });
  if (!network.empty()) {
    std::filesystem::create_directories(folder);
    std::map<std::string, std::string> metadata = facts;
    metadata["classes"] = Json(class_names).dump();
    write_tensors(folder / "network.safetensors", network, metadata);
  }
  return bytes_in(folder);
}

}  // namespace espalier
