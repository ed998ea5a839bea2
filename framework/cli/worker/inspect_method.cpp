#include "inspect_method.hpp"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/plugin/peft.hpp>
#include <string>
#include <vector>

#include "train/activation_stage.hpp"
#include "train/adapted_encoder.hpp"
#include "train/sample_graph.hpp"

namespace espalier::cli {
namespace {

// A grey picture will do.
std::int64_t bytes_at(const Encoder& encoder, const Tower& tower, std::int64_t cut) {
  const c10::AutoGradMode no_grad(false);
  const Image grey{.width = 8, .height = 8, .rgb = std::vector<std::uint8_t>(3 * 8 * 8, 128)};
  const at::Tensor pixels = encoder.pixels(grey).unsqueeze(0).to(tower.device());
  return bytes_of(tower.advance({pixels, {}, {}}, -1, cut, {}), StoredAs::float32);
}

Json cut_of(const Encoder& encoder, const AdaptableEncoder& model, TowerKind kind) {
  const bool image = kind == TowerKind::image;
  const Tower& tower = image ? static_cast<const Tower&>(*model.image()) : *model.text();
  const std::int64_t cut = model.cut(kind);
  return {{"tower", to_string(kind)},
          {"cut", cut},
          {"layers", tower.layers()},
          {"bytes", image ? bytes_at(encoder, tower, cut) : 0}};
}

}  // namespace

Json cuts_of_method(const Json& question, Encoder& encoder, const MakeMethod& make,
                    std::int64_t seed) {
  const auto name = [&](const char* kind) {
    return std::string(kind) + "/" + question.at(kind).at("use").get<std::string>();
  };
  Json cuts = Json::array();
  AdaptableEncoder* model = encoder.adaptable();
  if (model == nullptr) return {{"cuts", cuts}};
  model->reset();
  const auto looked_at = question.at("towers").get<std::vector<std::string>>();
  const auto looks_at = [&](const char* what) { return std::ranges::count(looked_at, what) > 0; };
  const auto part = model->part({.images = looks_at("image"),
                                 .texts = looks_at("text"),
                                 .classes = looks_at("class_vectors")});
  const LoneSamples nobody;
  const std::shared_ptr<Peft> method = make(question.at("peft"));
  method->join(*part, nobody, [] { return true; });
  Parameters parameters;
  if (!attach_method(*method, name("peft"), *part, seed, parameters)) {
    return {{"cuts", cuts}, {"nothing", towers_of(*part)}};
  }
  guarded(name("encoder"), "pixels below the cut of " + name("peft"), [&] {
    for (const TowerKind kind : {TowerKind::image, TowerKind::text}) {
      if (reaches(*part, kind)) cuts.push_back(cut_of(encoder, *part, kind));
    }
  });
  return {{"cuts", std::move(cuts)}, {"trainable", parameters.count()}};
}

}  // namespace espalier::cli
