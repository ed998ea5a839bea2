#include <espalier/nn/pretrained.hpp>

#include <algorithm>
#include <array>
#include <espalier/core/schema.hpp>
#include <espalier/core/words.hpp>
#include <optional>

#include "families_internal.hpp"

namespace espalier {
namespace {

struct Family {
  const char* name;    // model_type
  const char* prefix;  // on the names in checkpoints of task models
  const char* plugin;  // encoder/...
  std::unique_ptr<AdaptableEncoder> (*build)(const FamilyInput&);
};

constexpr std::array<Family, 9> all_families{
    {{"clip", "", "clip", build_clip},
     {"clip_text_model", "", "clip", build_clip_text},
     {"clip_vision_model", "", "clip", build_clip_vision},
     {"siglip", "", "siglip", build_siglip},
     {"vit", "vit.", "vit", build_vit},
     {"dinov2", "dinov2.", "dinov2", build_dinov2},
     {"bert", "bert.", "bert", build_bert},
     {"distilbert", "distilbert.", "bert", build_distilbert},
     {"mpnet", "mpnet.", "bert", build_mpnet}}};

std::vector<std::string> known_families() {
  std::vector<std::string> names;
  for (const Family& family : all_families) names.emplace_back(family.name);
  return names;
}

const Family& family_of(const Json& config, const std::string& where,
                        const std::vector<std::string>& families) {
  const std::vector<std::string> wanted = families.empty() ? known_families() : families;
  const Json type = config.value("model_type", Json());
  const std::string name = type.is_string() ? type.get<std::string>() : "";
  const auto found = std::find_if(all_families.begin(), all_families.end(),
                                  [&](const Family& family) { return name == family.name; });
  const bool known = found != all_families.end();
  if (known && std::find(wanted.begin(), wanted.end(), name) != wanted.end()) return *found;
  std::string other = "export the model as TorchScript and use encoder/torchscript";
  if (known) other = "use encoder/" + std::string(found->plugin);
  if (name == "blip") other = "use it to write captions: captioner.use=blip";
  throw Error({.what = "config.json is for another architecture",
               .where = where,
               .expected = "`model_type`: " + joined(wanted),
               .found = type.is_null() ? "no `model_type`" : type.dump(),
               .fix = other});
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
  require_model_folder(folder);
  Problems of_modules;
  const SentenceModules modules = read_sentence_modules(folder, of_modules);
  const std::filesystem::path config_file = modules.model / "config.json";
  std::vector<Problem> together = of_modules.list();
  const auto config = collecting(together, [&] { return read_model_config(config_file); });
  const auto family = collecting(together, [&] {
    return config ? &family_of(*config, config_file.string(), options.families) : nullptr;
  });
  auto weights = collecting(together, [&] { return open_weights(modules.model); });
  if (!config || !family || !weights) throw Error(std::move(together));

  const at::Device device = device_of(options.device);
  WeightReader reader(std::move(*weights), precision_of(options.precision, device), device);
  if ((*family)->prefix[0] != '\0') reader.strip((*family)->prefix);
  Problems problems;
  const ConfigReader root(*config, config_file.string(), problems);
  std::unique_ptr<AdaptableEncoder> encoder;
  auto slots = collecting(together, [&] {
    encoder = (*family)->build({root, modules, reader, problems});
    return reader.finish();
  });
  if (!together.empty()) throw Error(std::move(together));
  encoder->adopt(std::move(*slots));
  encoder->family = (*family)->name;
  encoder->source = folder.string();
  return encoder;
}

}  // namespace espalier
