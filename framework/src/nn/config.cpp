#include "config_internal.hpp"

#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/python_json.hpp>

namespace espalier {
namespace {

std::string range_text(const std::string& kind, double min, double max) {
  const auto show = [](double value) { return Json(value).dump(); };
  return kind + " from " + show(min) + " to " + show(max);
}

}  // namespace

const Json* ConfigReader::find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void ConfigReader::fail(std::string what, std::string expected, std::string found) const {
  problems_->add({.what = std::move(what),
                  .where = where_,
                  .expected = std::move(expected),
                  .found = std::move(found),
                  .fix = {}});
}

std::int64_t ConfigReader::integer(const char* key, std::int64_t fallback, std::int64_t min,
                                   std::int64_t max) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_number_integer()) {
    const double wide = value->get<double>();
    if (wide >= static_cast<double>(min) && wide <= static_cast<double>(max)) {
      return value->get<std::int64_t>();
    }
  }
  fail_size(key, "a whole number from " + std::to_string(min) + " to " + std::to_string(max),
            *value);
  return fallback;
}

void ConfigReader::fail_size(const char* key, const std::string& expected,
                             const Json& found) const {
  fail("`" + std::string(key) + "` is no size that a model can have", expected,
       found.dump().substr(0, 100));
}

std::int64_t ConfigReader::side(const char* key, std::int64_t fallback) const {
  const Json* value = find(key);
  if (value == nullptr || !value->is_array()) return integer(key, fallback);
  const bool square = value->size() == 2 && (*value)[0] == (*value)[1];
  if (square) return ConfigReader({{key, (*value)[0]}}, where_, *problems_).integer(key, fallback);
  fail_size(key, "one number, or two that are equal", *value);
  return fallback;
}

bool ConfigReader::architecture_ends_with(std::string_view ending) const {
  const Json* names = find("architectures");
  if (names == nullptr || !names->is_array()) return false;
  return std::any_of(names->begin(), names->end(), [&](const Json& name) {
    return name.is_string() && name.get_ref<const std::string&>().ends_with(ending);
  });
}

double ConfigReader::number(const char* key, double fallback, double min, double max) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_number()) {
    const double given = value->get<double>();
    if (given >= min && given <= max) return given;
  }
  fail("`" + std::string(key) + "` is out of range", range_text("a number", min, max),
       value->dump());
  return fallback;
}

bool ConfigReader::flag(const char* key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  fail("`" + std::string(key) + "` is no truth value", "true or false", value->dump());
  return fallback;
}

std::string ConfigReader::text(const char* key, std::string fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_string()) return value->get<std::string>();
  fail("`" + std::string(key) + "` is no text", "a string", value->dump());
  return fallback;
}

Activation ConfigReader::activation(const char* key, std::string fallback) const {
  const std::string name = text(key, std::move(fallback));
  if (const auto known = activation_of(name)) return *known;
  fail("the activation `" + std::string(key) + "` is not known here",
       "quick_gelu, gelu, gelu_pytorch_tanh, gelu_new, gelu_fast or relu", name);
  return Activation::gelu;
}

ConfigReader ConfigReader::section(const std::string& key) const {
  const Json* value = find(key.c_str());
  const bool fits = value == nullptr || value->is_object();
  if (!fits) fail("`" + key + "` is no section", "an object", value->type_name());
  return {value != nullptr && fits ? *value : Json::object(), where_ + ", " + key, *problems_};
}

TransformerConfig ConfigReader::transformer(const TransformerConfig& defaults,
                                            std::string activation_name,
                                            const TransformerKeys& keys) const {
  TransformerConfig config = defaults;
  const std::size_t before = problems_->size();
  config.width = integer(keys.width, defaults.width);
  config.heads = integer(keys.heads, defaults.heads);
  if (problems_->size() == before && config.width % config.heads != 0) {
    fail("`" + std::string(keys.heads) + "` does not divide `" + keys.width + "`",
         "a divisor of " + std::to_string(config.width), std::to_string(config.heads));
  }
  config.layers = integer(keys.layers, defaults.layers, 1, 512);
  config.intermediate = integer(keys.intermediate, defaults.intermediate, 1, 1 << 18);
  config.eps = number("layer_norm_eps", defaults.eps, 0.0, 1.0);
  config.activation = activation(keys.activation, std::move(activation_name));
  return config;
}

void require_model_folder(const std::filesystem::path& folder) {
  if (std::filesystem::is_directory(folder)) return;
  throw Error({.what = "a model is a folder",
               .where = folder.string(),
               .expected = "a folder with config.json and model.safetensors",
               .found = std::filesystem::exists(folder) ? "a file" : "nothing",
               .fix = {}});
}

Json read_model_config(const std::filesystem::path& file) {
  Json config = parse_python_json(read_file(file, std::size_t{8} << 20), file.string());
  if (!config.is_object()) {
    throw Error({.what = file.filename().string() + " is no object",
                 .where = file.string(),
                 .expected = "{...}",
                 .found = config.type_name(),
                 .fix = {}});
  }
  return config;
}

TransformerConfig base_layers(double eps) {
  TransformerConfig config;
  config.layers = 12;
  config.width = 768;
  config.heads = 12;
  config.intermediate = 3072;
  config.eps = eps;
  return config;
}

PatchConfig patch_config(const ConfigReader& config, const PatchConfig& defaults) {
  PatchConfig patches = defaults;
  patches.width = config.integer("hidden_size", defaults.width);
  patches.channels = config.integer("num_channels", defaults.channels, 1, 16);
  patches.image_size = config.side("image_size", defaults.image_size);
  patches.patch_size = config.side("patch_size", defaults.patch_size);
  if (patches.patch_size > patches.image_size) {
    config.fail("`patch_size` is larger than `image_size`",
                "at most " + std::to_string(patches.image_size),
                std::to_string(patches.patch_size));
  }
  return patches;
}

}  // namespace espalier
