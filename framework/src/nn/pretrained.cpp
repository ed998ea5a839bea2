#include <espalier/nn/pretrained.hpp>

#include <algorithm>
#include <array>
#include <espalier/core/file.hpp>
#include <espalier/core/schema.hpp>
#include <optional>

#include "families_internal.hpp"

namespace espalier {
namespace {

struct Family {
  const char* name;    // model_type
  const char* prefix;  // on the names in checkpoints of task models
  std::unique_ptr<AdaptableEncoder> (*build)(const FamilyInput&);
};

constexpr std::array<Family, 6> families{{{"clip", "", build_clip},
                                          {"siglip", "", build_siglip},
                                          {"vit", "vit.", build_vit},
                                          {"dinov2", "dinov2.", build_dinov2},
                                          {"bert", "bert.", build_bert},
                                          {"mpnet", "mpnet.", build_mpnet}}};

std::string family_names() {
  std::string list;
  for (const Family& family : families)
    list += (list.empty() ? "" : ", ") + std::string(family.name);
  return list;
}

const Family& family_of(const Json& config, const std::string& where, const std::string& wanted) {
  const Json type = config.value("model_type", Json());
  const std::string expected = wanted.empty() ? "one of " + family_names() : wanted;
  if (!type.is_string()) {
    throw Error({.what = "config.json does not say which architecture it is for",
                 .where = where,
                 .expected = "`model_type`: " + expected,
                 .found = type.dump(),
                 .fix = {}});
  }
  const auto& name = type.get_ref<const std::string&>();
  const auto found = std::find_if(families.begin(), families.end(),
                                  [&](const Family& family) { return name == family.name; });
  if (found == families.end() || (!wanted.empty() && name != wanted)) {
    const bool other = found != families.end();
    throw Error({.what = "config.json is for another architecture",
                 .where = where,
                 .expected = expected,
                 .found = name,
                 .fix = other ? "use encoder/" + name
                              : "export it as TorchScript and use "
                                "encoder/torchscript"});
  }
  return *found;
}

Json read_config(const std::filesystem::path& file) {
  Json config = parse_json(read_file(file, std::size_t{8} << 20), file.string());
  if (!config.is_object()) {
    throw Error({.what = "config.json is no object",
                 .where = file.string(),
                 .expected = "{...}",
                 .found = config.type_name(),
                 .fix = {}});
  }
  return config;
}

template <class Call>
auto collecting(std::vector<Problem>& problems, Call call) -> std::optional<decltype(call())> {
  try {
    return call();
  } catch (const Error& error) {
    problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    return std::nullopt;
  }
}

}  // namespace

std::unique_ptr<AdaptableEncoder> load_pretrained(const std::filesystem::path& folder,
                                                  const PretrainedOptions& options) {
  const std::filesystem::path config_file = folder / "config.json";
  if (!std::filesystem::is_directory(folder)) {
    throw Error({.what = "a model is a folder",
                 .where = folder.string(),
                 .expected = "a folder with config.json and model.safetensors",
                 .found = std::filesystem::exists(folder) ? "a file" : "nothing",
                 .fix = {}});
  }
  std::vector<Problem> together;
  const auto config = collecting(together, [&] { return read_config(config_file); });
  const auto family = collecting(together, [&] {
    return config ? &family_of(*config, config_file.string(), options.family) : nullptr;
  });
  auto weights = collecting(together, [&] { return open_weights(folder); });
  if (!together.empty()) throw Error(std::move(together));

  const at::Device device = device_of(options.device);
  WeightReader reader(std::move(*weights), precision_of(options.precision, device), device);
  if ((*family)->prefix[0] != '\0') reader.strip((*family)->prefix);
  Problems problems;
  const ConfigReader root(*config, config_file.string(), problems);
  auto encoder = (*family)->build({root, folder, reader, problems});
  encoder->adopt(reader.finish());
  return encoder;
}

}  // namespace espalier
