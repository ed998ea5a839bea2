#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "results/feature_file.hpp"
#include "train/class_features.hpp"
#include <chrono>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>
#include <espalier/dataset/image_batches.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <espalier/plugin/dataset.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/plugin/loader.hpp>
#include <numeric>

#include "encode_internal.hpp"

namespace espalier::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t batch = 64;

class EncodeContext final : public RunContext {
 public:
  EncodeContext(std::string device, Loader& loader)
      : device_(std::move(device)),
        loader_(loader),
        log_("encode", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {}

  [[nodiscard]] std::int64_t seed() const override { return 0; }
  [[nodiscard]] std::string device() const override { return device_; }
  [[nodiscard]] spdlog::logger& log() const override { return log_; }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view kind,
                                                     const ComponentRef& ref) const override {
    Json section = ref.params;
    section["use"] = ref.use;
    return loader_.make(kind, section, *this);
  }

 private:
  std::string device_;
  Loader& loader_;
  mutable spdlog::logger log_;
};

// One line on a terminal that renews itself.
void progress(std::size_t done, std::size_t all, Clock::time_point begin) {
  if (::isatty(STDERR_FILENO) == 0) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::fprintf(stderr, "\r%zu of %zu pictures, %.1f a second%s", done, all,
               static_cast<double>(done) / std::max(seconds, 1e-9), done == all ? "\n" : "");
}

at::Tensor image_rows(const Encoder& encoder, const Dataset& dataset) {
  const std::size_t count = dataset.samples().size();
  const auto begin = Clock::now();
  std::vector<at::Tensor> parts;
  std::vector<std::size_t> samples(count);
  std::iota(samples.begin(), samples.end(), 0);
  ImageBatches batches(std::move(samples), batch, usable_cores(),
                       [&](std::size_t sample) { return dataset.image(sample); });
  std::size_t done = 0;
  for (auto images = batches.next(); !images.empty(); images = batches.next()) {
    parts.push_back(encoder.encode_images(images).cpu());
    done += images.size();
    progress(done, count, begin);
  }
  return parts.empty() ? at::empty({0, encoder.image_width()}) : at::cat(parts);
}

FeatureMatrix matrix_of(const at::Tensor& rows) {
  if (!rows.defined()) return {};
  return {{rows.data_ptr<float>(), static_cast<std::size_t>(rows.numel())}, rows.size(1)};
}

struct Encoded {
  at::Tensor images;
  at::Tensor classes;
  FeatureFile file;
};

Encoded run(const Json& request, const Encoder& encoder, const Dataset& dataset) {
  Encoded out;
  const auto templates = request.at("templates").get<std::vector<std::string>>();
  if (encoder.text_width() > 0) {
    out.classes =
        class_vectors(encoder, class_texts(dataset.class_names(), templates)).contiguous();
  }
  if (encoder.image_width() > 0) out.images = image_rows(encoder, dataset).contiguous();
  for (const Sample& sample : dataset.samples()) {
    out.file.labels.push_back(sample.label);
    out.file.ids.push_back(sample.id);
    out.file.splits.emplace_back(to_string(sample.split));
  }
  out.file.class_names = dataset.class_names();
  out.file.images = matrix_of(out.images);
  out.file.classes = matrix_of(out.classes);
  out.file.attributes = {{"encoder", request.at("encoder").dump()},
                         {"dataset", request.at("dataset").dump()},
                         {"templates", request.at("templates").dump()},
                         {"espalier", ESPALIER_VERSION}};
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
    metadata[name] = value.get<std::string>();
  }
  write_tensors(path, tensors, metadata);
}

}  // namespace

void encode_dataset(const Json& request) {
  std::vector<std::filesystem::path> folders;
  for (const Json& folder : request.at("plugins")) folders.emplace_back(folder.get<std::string>());
  Catalog catalog = Catalog::scan(PluginPath::standard(current_executable(), folders));
  Loader loader(catalog);
  const EncodeContext context(request.at("device"), loader);
  const auto dataset = loader.make<Dataset>(request.at("dataset"), context);
  const auto encoder = loader.make<Encoder>(request.at("encoder"), context);
  const auto begin = Clock::now();
  const Encoded out = run(request, *encoder, *dataset);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();

  const std::string path = request.at("out");
  if (path.ends_with(".h5")) write_feature_file(path, out.file);
  if (path.ends_with(".safetensors")) write_as_tensors(path, out);
  std::printf("%zu pictures of %zu classes, %lld numbers each, in %.1f s%s%s\n",
              out.file.ids.size(), out.file.class_names.size(),
              static_cast<long long>(out.file.images.width), seconds, path.empty() ? "" : ": ",
              path.c_str());
}

}  // namespace espalier::cli
