#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/plugin/gnn.hpp>
#include <espalier/plugin/graph.hpp>
#include <espalier/plugin/peft.hpp>

namespace espalier {
namespace {

constexpr std::size_t pictures_at_once = 64;

[[noreturn]] void no_tower(const std::string& inputs) {
  throw Error({.what = inputs + " cannot be encoded",
               .where = {},
               .expected = "an encoder with such a tower",
               .found = "one without",
               .fix = {}});
}

}  // namespace

Encoder::~Encoder() = default;
GraphBuilder::~GraphBuilder() = default;
GraphSupport::~GraphSupport() = default;
Gnn::~Gnn() = default;
Peft::~Peft() = default;
SampleGraph::~SampleGraph() = default;

void Encoder::fit(std::span<const std::string>) {}
at::Tensor Encoder::pixels(const Image&) const { no_tower("pictures"); }
at::Tensor Encoder::encode_pixels(const at::Tensor&) const { no_tower("pictures"); }
at::Tensor Encoder::encode_texts(std::span<const std::string>) const { no_tower("texts"); }
TokenLists Encoder::tokens(std::span<const std::string>) const { no_tower("texts"); }
Json Encoder::settings() const { return Json::object(); }
double Encoder::logit_scale() const { return 1.0; }
AdaptableEncoder* Encoder::adaptable() { return nullptr; }

std::string Peft::class_template() const { return {}; }
void Peft::prepare(const MethodInput&) {}
void Peft::join(AdaptableEncoder&, const SampleGraph&, const LookAtNodes&) {}
void Peft::attach(AdaptableEncoder&, Parameters&, Random&) {}
at::Tensor Peft::penalty() const { return {}; }
void Peft::updated(std::int64_t, std::int64_t) {}
std::vector<Parameters::Entry> Peft::memory() const { return {}; }
void Peft::conclude(const JudgedFeatures&) {}
Json Peft::facts() const { return Json::object(); }
Json Peft::adapter_config() const { return nullptr; }
void Peft::merge(AdaptableEncoder&) {
  throw Error({.what = "the method cannot be merged into weights",
               .where = {},
               .expected = "one that declares `mergeable`",
               .found = {},
               .fix = "keep the adapter beside the model"});
}
std::vector<Peft::Part> Peft::parts() const { return {}; }
std::vector<Parameters::Entry> Peft::buffers() const { return {}; }

std::vector<Parameters::Entry> Peft::adapter_tensors(
    std::vector<Parameters::Entry> parameters) const {
  for (Parameters::Entry& buffer : buffers()) parameters.push_back(std::move(buffer));
  return parameters;
}

at::Tensor Encoder::view(const Image& image, const ViewOptions& options, Random& random) const {
  return pixels(draw_view(image, image.width, image.height, Filter::bicubic, options, random));
}

at::Tensor Encoder::encode_images(std::span<const Image> images) const {
  if (image_width() == 0) no_tower("pictures");
  std::vector<at::Tensor> parts;
  for (std::size_t from = 0; from < images.size(); from += pictures_at_once) {
    std::vector<at::Tensor> some;
    for (const Image& image :
         images.subspan(from, std::min(pictures_at_once, images.size() - from))) {
      some.push_back(pixels(image));
    }
    parts.push_back(encode_pixels(at::stack(some)));
  }
  return parts.empty() ? at::empty({0, image_width()}, at::kFloat) : at::cat(parts);
}

void Gnn::expect_classes(std::int64_t) {}
at::Tensor Gnn::embed(const at::Tensor& x, const Mode&) const { return x; }
at::Tensor Gnn::readout(const at::Tensor& h, const at::Tensor&, const Mode&) const { return h; }
bool Gnn::reads_input() const { return true; }
MessageWeights Gnn::attention(std::int64_t, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                              const CsrGraph&) const {
  return {};
}

}  // namespace espalier
