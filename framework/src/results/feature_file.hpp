// Features of a dataset in one HDF5 file.
//
//   /image_features  float32 [samples, width]      /ids          text [samples]
//   /labels          int64 [samples]               /splits       text [samples]
//   /class_features  float32 [classes, width]      /class_names  text [classes]
//   /class_features is absent where the encoder takes no texts. Attributes of the root: encoder,
//   dataset, templates, logit_scale, features_format, espalier. dataset/features reads it.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// Of names and meanings in both kinds of file.
inline constexpr int feature_file_format = 1;

// Row-major; `width` 0: none.
struct FeatureMatrix {
  std::span<const float> values;
  std::int64_t width = 0;
};

struct FeatureFile {
  FeatureMatrix images;
  FeatureMatrix classes;
  std::vector<std::int64_t> labels;
  std::vector<std::string> ids;
  std::vector<std::string> splits;
  std::vector<std::string> class_names;
  Json attributes;  // an object of scalars and lists
};

// Features of texts: /text_features float32 [texts, width] and /texts; attributes encoder,
// espalier.
struct TextFeatureFile {
  FeatureMatrix features;
  std::vector<std::string> texts;
  Json attributes;
};

// Both throw Error when the file cannot be written.
void write_text_features(const std::filesystem::path& file, const TextFeatureFile& features);
void write_feature_file(const std::filesystem::path& file, const FeatureFile& features);

}  // namespace espalier
