// config.json of a Hugging Face folder, read with the defaults of the class that wrote it:
// published files leave out whatever equals them.
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/nn/transformer.hpp>
#include <filesystem>
#include <string>
#include <string_view>

namespace espalier {

// What a family calls the sizes of its layers.
struct TransformerKeys {
  const char* width = "hidden_size";
  const char* layers = "num_hidden_layers";
  const char* heads = "num_attention_heads";
  const char* intermediate = "intermediate_size";
  const char* activation = "hidden_act";
};

// One object of the file. Values of a wrong type or out of range are collected, and the default is
// given back; null counts as absent.
class ConfigReader {
 public:
  ConfigReader(Json object, std::string where, Problems& problems)
      : object_(std::move(object)), where_(std::move(where)), problems_(&problems) {}

  [[nodiscard]] std::int64_t integer(const char* key, std::int64_t fallback, std::int64_t min = 1,
                                     std::int64_t max = 65536) const;
  [[nodiscard]] double number(const char* key, double fallback, double min, double max) const;
  [[nodiscard]] bool flag(const char* key, bool fallback) const;
  [[nodiscard]] std::string text(const char* key, std::string fallback) const;
  [[nodiscard]] Activation activation(const char* key, std::string fallback) const;
  // The side of a square, which may be written as a pair of equal numbers.
  [[nodiscard]] std::int64_t side(const char* key, std::int64_t fallback) const;
  [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }
  // Null where it is absent.
  [[nodiscard]] const Json* value(const char* key) const { return find(key); }
  // Whether `architectures` names a class whose name ends so.
  [[nodiscard]] bool architecture_ends_with(std::string_view ending) const;
  // The object under `key`, empty where there is none.
  [[nodiscard]] ConfigReader section(const std::string& key) const;

  void fail(std::string what, std::string expected, std::string found) const;
  // What `keys` name, and layer_norm_eps; `defaults` holds the class's own.
  [[nodiscard]] TransformerConfig transformer(const TransformerConfig& defaults,
                                              std::string activation,
                                              const TransformerKeys& keys = {}) const;

 private:
  [[nodiscard]] const Json* find(const char* key) const;
  void fail_size(const char* key, const std::string& expected, const Json& found) const;

  Json object_;
  std::string where_;
  Problems* problems_;
};

// config.json of a model's folder. Throw Error where there is no such folder, and where the file is
// no object.
void require_model_folder(const std::filesystem::path& folder);
[[nodiscard]] Json read_model_config(const std::filesystem::path& file);

// The layers of a model of size Base, with its norms' eps.
[[nodiscard]] TransformerConfig base_layers(double eps);

// hidden_size, num_channels, image_size and patch_size.
struct PatchConfig {
  std::int64_t width = 768;
  std::int64_t channels = 3;
  std::int64_t image_size = 224;
  std::int64_t patch_size = 16;
  bool bias = true;
};
[[nodiscard]] PatchConfig patch_config(const ConfigReader& config, const PatchConfig& defaults);

}  // namespace espalier
