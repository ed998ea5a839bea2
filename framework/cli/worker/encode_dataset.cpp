#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "results/feature_file.hpp"
#include "train/class_features.hpp"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/plugin/dataset.hpp>
#include <espalier/plugin/encoder.hpp>
#include <filesystem>
#include <map>
#include <numeric>

#include "encode_internal.hpp"

namespace espalier::cli {
namespace {

using Clock = std::chrono::steady_clock;

FeatureMatrix matrix_of(const at::Tensor& rows) {
  if (!rows.defined()) return {};
  return {{rows.data_ptr<float>(), static_cast<std::size_t>(rows.numel())}, rows.size(1)};
}

// What lacks is named by the folder that it is not in, what is damaged by its own file.
bool is_damage(const Problem& problem) {
  return !problem.where.empty() && !std::filesystem::is_directory(problem.where);
}

// Without a tokenizer, or with one that is not read here, pictures can be encoded all the same.
at::Tensor class_rows(const Json& request, const Encoder& encoder, const Dataset& dataset) {
  const auto templates = request.at("templates").get<std::vector<std::string>>();
  const ClassTexts texts = class_texts(dataset.class_names(), templates);
  try {
    return unit_rows(class_vectors(encoder, texts)).contiguous();
  } catch (const Error& error) {
    const bool damaged = std::any_of(error.problems().begin(), error.problems().end(), is_damage);
    const bool wanted = encoder.image_width() == 0 || request.at("template_given").get<bool>();
    if (damaged || wanted) throw;
    std::fprintf(stderr, "class features are left out:\n%s\n", error.what());
    return {};
  }
}

struct Encoded {
  at::Tensor images;
  at::Tensor classes;
  FeatureFile file;
};

Encoded run(const Json& request, const Encoder& encoder, const Dataset& dataset) {
  Encoded out;
  double logit_scale = encoder.logit_scale();
  if (const GivenFeatures* const given = dataset.features()) {
    out.images = given_rows(given->images);
    out.classes = given_rows(given->classes);
    logit_scale = given->logit_scale;
  }
  if (encoder.text_width() > 0) out.classes = class_rows(request, encoder, dataset);
  if (encoder.image_width() > 0) {
    std::vector<std::size_t> samples(dataset.samples().size());
    std::iota(samples.begin(), samples.end(), 0);
    out.images = image_rows(encoder, dataset, samples).contiguous();
  }
  for (const Sample& sample : dataset.samples()) {
    out.file.labels.push_back(sample.label);
    out.file.ids.push_back(sample.id);
    out.file.splits.emplace_back(to_string(sample.split));
  }
  out.file.class_names = dataset.class_names();
  if (out.images.defined()) require_finite(out.images, out.file.ids, "picture");
  if (out.classes.defined()) require_finite(out.classes, out.file.class_names, "class");
  out.file.images = matrix_of(out.images);
  out.file.classes = matrix_of(out.classes);
  out.file.attributes = {
      {"encoder", request.at("encoder").dump()},     {"dataset", request.at("dataset").dump()},
      {"templates", request.at("templates").dump()}, {"logit_scale", logit_scale},
      {"features_format", feature_file_format},      {"espalier", ESPALIER_VERSION}};
  return out;
}

void write_as_tensors(const std::string& path, const Encoded& out) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  if (out.images.defined()) tensors.emplace_back("image_features", out.images);
  if (out.classes.defined()) tensors.emplace_back("class_features", out.classes);
  at::Tensor labels = at::empty({static_cast<std::int64_t>(out.file.labels.size())}, at::kLong);
  std::copy(out.file.labels.begin(), out.file.labels.end(), labels.data_ptr<std::int64_t>());
  tensors.emplace_back("labels", labels);
  std::map<std::string, std::string> metadata = {
      {"ids", Json(out.file.ids).dump()},
      {"splits", Json(out.file.splits).dump()},
      {"class_names", Json(out.file.class_names).dump()}};
  for (const auto& [name, value] : out.file.attributes.items()) {
    metadata[name] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  write_tensors(path, tensors, metadata);
}

std::string counted(std::size_t count, const std::string& name, const at::Tensor& rows) {
  return std::to_string(count) + " " + name + " with " + std::to_string(rows.size(1)) +
         " numbers each";
}

std::string encoded_text(const Encoded& out) {
  std::vector<std::string> parts;
  if (out.images.defined()) parts.push_back(counted(out.file.ids.size(), "pictures", out.images));
  if (out.classes.defined()) {
    parts.push_back(counted(out.file.class_names.size(), "classes", out.classes));
  }
  return joined(parts, ", ");
}

}  // namespace

at::Tensor given_rows(const FeatureRows& rows) {
  if (rows.width == 0) return {};
  at::Tensor tensor = at::empty({rows.count(), rows.width});
  std::copy(rows.values.begin(), rows.values.end(), tensor.data_ptr<float>());
  return tensor;
}

void require_a_match(bool given, const Dataset& dataset) {
  if (given == (dataset.features() != nullptr)) return;
  throw Error({.what = "the encoder and the dataset do not fit together",
               .where = "command line",
               .expected = "pictures and an encoder, or features and encoder.use=given",
               .found = given ? "encoder.use=given and pictures" : "features and an encoder",
               .fix = {}});
}

void encode_dataset(const Json& request) {
  EncodeComponents components(request);
  const auto dataset = components.make<Dataset>(request.at("dataset"));
  const auto encoder = components.make<Encoder>(request.at("encoder"));
  require_a_match(components.has("encoder", request.at("encoder"), "given"), *dataset);
  const auto begin = Clock::now();
  const Encoded out = run(request, *encoder, *dataset);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();

  const std::string path = request.at("out");
  if (path.ends_with(".h5")) write_feature_file(path, out.file);
  if (path.ends_with(".safetensors")) write_as_tensors(path, out);
  std::printf("%s, in %.1f s%s%s\n", encoded_text(out).c_str(), seconds, path.empty() ? "" : ": ",
              path.c_str());
}

}  // namespace espalier::cli
