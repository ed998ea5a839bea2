#include <ATen/ops/tensor.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/plugin/captioner.hpp>
#include <memory>
#include <optional>

#include "graph_internal.hpp"

namespace espalier::cli {
namespace {

Error wrong_tensors(const std::string& file, std::string expected, std::string found) {
  return Error({.what = "the tensors are no features of nodes",
                .where = file,
                .expected = std::move(expected),
                .found = std::move(found),
                .fix = "espalier encode --out FILE.safetensors writes such a file"});
}

at::Tensor matrix_named(const NamedTensors& tensors, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) continue;
    if (found->second.dim() == 2) return found->second.to(at::kFloat).contiguous();
  }
  return {};
}

void require_texts_of(const Json& request, const at::Tensor& features, const at::Tensor& other,
                      const std::string& file) {
  if (!request.at("needs_other").get<bool>()) return;
  if (other.defined() && other.size(0) == features.size(0)) return;
  throw wrong_tensors(file, "text_features, a row for each row of features", "none");
}

std::vector<std::size_t> chosen_samples(const Dataset& dataset, std::string split) {
  const std::vector<Sample>& samples = dataset.samples();
  std::vector<std::size_t> chosen, all;
  const bool given = !split.empty();
  if (!given) split = "train";
  for (std::size_t i = 0; i < samples.size(); ++i) {
    all.push_back(i);
    if (to_string(samples[i].split) == split) chosen.push_back(i);
  }
  if (split == "all" || (chosen.empty() && !given)) return all;
  if (!chosen.empty()) return chosen;
  throw Error({.what = "no sample is in this split",
               .where = "--split",
               .expected = "a split that the dataset has, or all",
               .found = split,
               .fix = "espalier data shows the splits of a dataset"});
}

void add_captions(const Json& request, EncodeComponents& components, const Dataset& dataset,
                  const std::vector<std::size_t>& samples, Encoder& encoder, GraphNodes& nodes) {
  const auto captioner = components.make<Captioner>(request.at("captioner"));
  const auto seed = request.at("seed").get<std::int64_t>();
  check_captions(*captioner, dataset, seed);
  for (const std::size_t sample : samples) {
    nodes.texts.push_back(captioner->caption(caption_request(dataset, sample, seed)).text);
  }
  if (!request.at("needs_other").get<bool>()) return;
  encoder.fit(nodes.texts);
  nodes.other = encoder.encode_texts(nodes.texts).cpu().contiguous();
  require_finite(nodes.other, nodes.ids, "text");
}

// Of the chosen samples, in their order.
at::Tensor chosen_rows(const FeatureRows& rows, const std::vector<std::size_t>& samples) {
  const at::Tensor all = given_rows(rows);
  if (!all.defined()) return all;
  const std::vector<std::int64_t> places(samples.begin(), samples.end());
  return all.index_select(0, at::tensor(places, at::kLong));
}

// Features that a dataset has in place of pictures.
void take_given(const Json& request, const GivenFeatures& given,
                const std::vector<std::size_t>& samples, GraphNodes& nodes) {
  nodes.features = chosen_rows(given.images, samples);
  nodes.other = chosen_rows(given.texts, samples);
  const bool lacks_other = request.at("needs_other").get<bool>() && !nodes.other.defined();
  if (nodes.features.defined() && !lacks_other) return;
  throw Error({.what = "the dataset lacks features that the graph is made of",
               .where = request.at("dataset").at("use").get<std::string>(),
               .expected = lacks_other ? "features of images and of texts" : "features of images",
               .found = {},
               .fix = "espalier data shows what a dataset has"});
}

void take_pictures(const Json& request, EncodeComponents& components,
                   const std::shared_ptr<Dataset>& dataset, const std::vector<std::size_t>& samples,
                   Encoder& encoder, GraphNodes& nodes) {
  if (encoder.image_width() == 0) {
    throw Error({.what = "a graph over pictures needs an encoder with an image tower",
                 .where = "encoder.use",
                 .expected = {},
                 .found = request.at("encoder").at("use").get<std::string>(),
                 .fix = "espalier plugins list shows what there is"});
  }
  nodes.image = [dataset, samples](std::size_t node) { return dataset->image(samples[node]); };
  nodes.features = image_rows(encoder, *dataset, samples).contiguous();
  require_finite(nodes.features, nodes.ids, "picture");
  if (request.contains("captioner")) {
    add_captions(request, components, *dataset, samples, encoder, nodes);
  }
}

}  // namespace

GraphNodes nodes_of_tensors(const Json& request) {
  const std::string file = request.at("tensors");
  const NamedTensors tensors = read_named_tensors(file);
  GraphNodes nodes;
  nodes.features = matrix_named(tensors, {"features", "image_features", "x"});
  if (!nodes.features.defined()) {
    throw wrong_tensors(file, "a matrix called features, image_features or x",
                        std::to_string(tensors.size()) + " other tensors");
  }
  nodes.other = matrix_named(tensors, {"text_features"});
  require_texts_of(request, nodes.features, nodes.other, file);
  const auto labels = tensors.find("labels");
  if (labels == tensors.end()) return nodes;
  const at::Tensor values = labels->second.to(at::kLong).contiguous();
  if (values.dim() != 1 || values.size(0) != nodes.features.size(0)) {
    throw wrong_tensors(file, "a label for each row of features",
                        std::to_string(values.numel()) + " labels");
  }
  nodes.labels.assign(values.data_ptr<std::int64_t>(),
                      values.data_ptr<std::int64_t>() + values.numel());
  return nodes;
}

GraphNodes nodes_of_dataset(const Json& request, EncodeComponents& components) {
  const std::shared_ptr<Dataset> dataset = components.make<Dataset>(request.at("dataset"));
  const auto encoder = components.make<Encoder>(request.at("encoder"));
  require_a_match(components.has("encoder", request.at("encoder"), "given"), *dataset);
  const std::vector<std::size_t> samples = chosen_samples(*dataset, request.at("split"));
  GraphNodes nodes;
  for (const std::size_t sample : samples) {
    const Sample& of = dataset->samples()[sample];
    nodes.ids.push_back(of.id);
    nodes.splits.emplace_back(to_string(of.split));
    nodes.labels.push_back(of.label);
  }
  for (const Sample& sample : dataset->samples()) nodes.known_ids.push_back(sample.id);
  nodes.class_names = dataset->class_names();
  if (const GivenFeatures* const given = dataset->features()) {
    take_given(request, *given, samples, nodes);
  } else {
    take_pictures(request, components, dataset, samples, *encoder, nodes);
  }
  return nodes;
}

}  // namespace espalier::cli
