#include "zero_shot.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <c10/core/GradMode.h>

#include <espalier/nn/unit_rows.hpp>
#include <string>
#include <vector>

#include "examples.hpp"

namespace espalier::flora_clip {
namespace {

at::Tensor class_vectors(const AdaptableEncoder& model, const Tokenizer& tokenizer,
                         const std::vector<flora::Species>& species) {
  std::vector<std::vector<std::int64_t>> ids;
  for (const flora::Species& one : species) {
    for (std::int64_t wording = 0; wording < flora::wordings; ++wording) {
      ids.push_back(tokenizer.encode(flora::describe(flora::facts(one), wording)).ids);
    }
  }
  const at::Tensor features = unit_rows(text_features(*model.text(), ids));
  const auto classes = static_cast<std::int64_t>(species.size());
  return unit_rows(features.view({classes, flora::wordings, -1}).mean(1));
}

}  // namespace

double zero_shot_accuracy(const AdaptableEncoder& model, const Tokenizer& tokenizer,
                          flora::Pool pool, const ZeroShot& setting) {
  const c10::AutoGradMode no_grad(false);
  const auto species = flora::species(pool, setting.classes);
  Random random(1, "zero-shot");
  std::vector<Image> images;
  for (const flora::Species& one : species) {
    for (std::int64_t i = 0; i < setting.per_class; ++i) {
      const flora::Scene scene = flora::draw_scene(setting.difficulty, random);
      images.push_back(flora::paint(one, scene, model.image()->image_size()));
    }
  }
  const at::Tensor pictures = unit_rows(image_features(*model.image(), to_pixels(images)));
  const at::Tensor answers =
      at::argmax(pictures.matmul(class_vectors(model, tokenizer, species).t()), 1);
  const at::Tensor truth = at::arange(setting.classes).repeat_interleave(setting.per_class);
  return answers.eq(truth).to(at::kDouble).mean().item<double>();
}

}  // namespace espalier::flora_clip
