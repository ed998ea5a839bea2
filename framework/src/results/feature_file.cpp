#include "results/feature_file.hpp"
#include <espalier/core/file.hpp>

#include "hdf5_internal.hpp"

namespace espalier {
namespace {

void write_matrix(hid_t file, const std::string& name, const FeatureMatrix& matrix) {
  if (matrix.width == 0) return;
  const auto width = static_cast<hsize_t>(matrix.width);
  hdf5::write_array(file, name, H5T_NATIVE_FLOAT, matrix.values.data(),
                    {matrix.values.size() / width, width});
}

void write_attributes_and_close(const std::filesystem::path& path, const hdf5::Handle& file,
                                const Json& attributes) {
  for (const auto& [name, value] : attributes.items()) hdf5::write_attribute(file, name, value);
  write_file(path, hdf5::file_bytes(file));
}

}  // namespace

void write_text_features(const std::filesystem::path& path, const TextFeatureFile& features) {
  const hdf5::Handle file = hdf5::create_file();
  write_matrix(file, "text_features", features.features);
  hdf5::write_column(file, "texts", features.texts);
  write_attributes_and_close(path, file, features.attributes);
}

void write_feature_file(const std::filesystem::path& path, const FeatureFile& features) {
  const hdf5::Handle file = hdf5::create_file();
  write_matrix(file, "image_features", features.images);
  write_matrix(file, "class_features", features.classes);
  hdf5::write_column(file, "labels", features.labels);
  hdf5::write_column(file, "ids", features.ids);
  hdf5::write_column(file, "splits", features.splits);
  hdf5::write_column(file, "class_names", features.class_names);
  write_attributes_and_close(path, file, features.attributes);
}

}  // namespace espalier
