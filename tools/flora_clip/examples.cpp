#include "examples.hpp"

#include <ATen/ops/empty.h>

#include <numeric>

namespace espalier::flora_clip {
namespace {

constexpr std::int64_t genus_size = 4;

std::string sentence(const flora::Species& species, const flora::Scene& scene, Random& random) {
  Json facts = flora::facts(species);
  if (random.below(2) == 0) facts["background"] = flora::name(scene.background);
  return flora::describe(facts, static_cast<std::int64_t>(random.below(flora::wordings)));
}

}  // namespace

Examples::Examples(std::int64_t side)
    : side_(side), species_(flora::species(flora::Pool::pretraining, flora::max_species)) {}

flora::Species Examples::mixed(Random& random) const {
  const auto any = [&]() -> const flora::Species& {
    return species_[random.below(species_.size())];
  };
  flora::Species species = any();
  const flora::Species& shape = any();
  const flora::Species& colour = any();
  const flora::Species& centre = any();
  species.width = shape.width;
  species.tip = shape.tip;
  species.hue = colour.hue;
  species.shade = colour.shade;
  species.centre_form = centre.centre_form;
  species.centre_colour = centre.centre_colour;
  species.petals = any().petals;
  species.arrangement = any().arrangement;
  return species;
}

Batch Examples::batch(std::int64_t seed, std::int64_t step, std::int64_t size) const {
  Random random(seed, "examples:" + std::to_string(step));
  std::vector<std::int64_t> genera(species_.size() / genus_size);
  std::iota(genera.begin(), genera.end(), 0);
  random.shuffle(std::span(genera));

  Batch batch;
  std::vector<Image> images;
  for (std::int64_t i = 0; i < size; ++i) {
    const bool related = i < size / 2;
    const auto genus = genera[static_cast<std::size_t>(i / genus_size) % genera.size()];
    const flora::Species species =
        related ? species_[static_cast<std::size_t>(genus_size * genus + i % genus_size)]
                : mixed(random);
    const flora::Scene scene = flora::draw_scene(random.uniform(), random);
    images.push_back(flora::paint(species, scene, side_));
    batch.sentences.push_back(sentence(species, scene, random));
  }
  batch.pixels = to_pixels(images);
  return batch;
}

std::vector<std::string> Examples::corpus() const {
  std::vector<std::string> sentences;
  for (const flora::Species& species : species_) {
    for (std::int64_t place = 0; place < 5; ++place) {
      Json facts = flora::facts(species);
      facts["background"] = flora::name(static_cast<flora::Background>(place));
      for (std::int64_t wording = 0; wording < flora::wordings; ++wording) {
        sentences.push_back(flora::describe(facts, wording));
      }
    }
  }
  return sentences;
}

at::Tensor to_pixels(const std::vector<Image>& images) {
  const std::int64_t side = images.front().width;
  at::Tensor pixels =
      at::empty({static_cast<std::int64_t>(images.size()), 3, side, side}, at::kFloat);
  auto* out = pixels.data_ptr<float>();
  for (const Image& image : images) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t i = channel; i < image.rgb.size(); i += 3) {
        *out++ = (static_cast<float>(image.rgb[i]) / 255.0F - 0.5F) / 0.25F;
      }
    }
  }
  return pixels;
}

}  // namespace espalier::flora_clip
