#include "sentence_pooling_internal.hpp"

#include <ATen/TensorOperators.h>

#include <array>
#include <cmath>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <limits>
#include <vector>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<const char*, SentencePooling>, 4> poolings{
    {{"mean", SentencePooling::mean},
     {"cls", SentencePooling::cls},
     {"max", SentencePooling::max},
     {"mean_sqrt_len_tokens", SentencePooling::mean_sqrt_length}}};

constexpr std::array<std::pair<const char*, const char*>, 7> pooling_keys{
    {{"pooling_mode_mean_tokens", "mean"},
     {"pooling_mode_cls_token", "cls"},
     {"pooling_mode_max_tokens", "max"},
     {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
     {"pooling_mode_weightedmean_tokens", "weightedmean"},
     {"pooling_mode_lasttoken", "lasttoken"},
     {"pooling_mode", ""}}};

std::vector<std::string> chosen_modes(const Json& config) {
  std::vector<std::string> modes;
  for (const auto& [key, mode] : pooling_keys) {
    const Json value = config.value(key, Json());
    if (value.is_boolean() && value.get<bool>()) modes.emplace_back(mode);
    if (value.is_string()) modes.push_back(value.get<std::string>());
  }
  return modes;
}

// Null where the file cannot be read, which is a problem.
Json read_json(const fs::path& file, Problems& problems) {
  try {
    return parse_json(read_file(file, std::size_t{1} << 20), file.string());
  } catch (const Error& error) {
    for (const Problem& problem : error.problems()) problems.add(problem);
    return nullptr;
  }
}

SentencePooling read_pooling(const fs::path& file, Problems& problems) {
  const Json config = read_json(file, problems);
  if (config.is_null()) return SentencePooling::mean;
  const std::vector<std::string> modes =
      config.is_object() ? chosen_modes(config) : std::vector<std::string>{};
  for (const auto& [name, pooling] : poolings) {
    if (modes.size() == 1 && modes.front() == name) return pooling;
  }
  std::string found;
  for (const std::string& mode : modes) found += (found.empty() ? "" : ", ") + mode;
  problems.add({.what = "this way of pooling a sentence is not known here",
                .where = file.string(),
                .expected = "exactly one of mean, cls, max, mean_sqrt_len_tokens",
                .found = found.empty() ? "none" : found,
                .fix = {}});
  return SentencePooling::mean;
}

bool inside(const std::string& path) {
  const fs::path relative(path);
  if (relative.is_absolute()) return false;
  for (const fs::path& part : relative) {
    if (part == "..") return false;
  }
  return true;
}

}  // namespace

SentenceHead sentence_head(const fs::path& folder, Problems& problems) {
  const fs::path file = folder / "modules.json";
  SentenceHead head;
  if (!fs::exists(file)) return head;
  const auto bad = [&](std::string what, std::string found) {
    problems.add({.what = std::move(what),
                  .where = file.string(),
                  .expected = "modules Transformer, Pooling, Normalize",
                  .found = std::move(found),
                  .fix = {}});
  };
  const Json modules = read_json(file, problems);
  if (modules.is_null()) return head;
  if (!modules.is_array()) {
    bad("modules.json is no list", modules.type_name());
    return head;
  }
  for (const Json& module : modules) {
    const Json type = module.is_object() ? module.value("type", Json()) : Json();
    const Json path = module.is_object() ? module.value("path", Json()) : Json();
    const std::string name = type.is_string() ? type.get<std::string>() : type.dump();
    const std::string kind = name.substr(name.rfind('.') + 1);
    if (!path.is_string() || !inside(path.get<std::string>())) {
      bad("a module's path leads out of the folder", path.dump());
    } else if (kind == "Pooling") {
      head.pooling = read_pooling(folder / path.get<std::string>() / "config.json", problems);
    } else if (kind == "Normalize") {
      head.normalize = true;
    } else if (kind != "Transformer") {
      bad("a module of the sentence encoder is not known here", name);
    }
  }
  return head;
}

at::Tensor pool_sentence(SentencePooling pooling, const at::Tensor& states,
                         const at::Tensor& valid) {
  if (pooling == SentencePooling::cls) return states.select(1, 0);
  const bool padded = valid.defined();
  if (pooling == SentencePooling::max) {
    return (padded ? states.masked_fill(valid.logical_not().unsqueeze(-1),
                                        -std::numeric_limits<double>::infinity())
                   : states)
        .amax(1);
  }
  const bool mean = pooling == SentencePooling::mean;
  if (!padded) {
    const auto count = static_cast<double>(states.size(1));
    return mean ? states.mean(1) : states.sum(1) / std::sqrt(count);
  }
  const at::Tensor weights = valid.unsqueeze(-1).to(states.scalar_type());
  const at::Tensor count = weights.sum(1).clamp_min(1e-9);
  return (states * weights).sum(1) / (mean ? count : count.sqrt());
}

}  // namespace espalier
