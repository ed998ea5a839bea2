// A method of the tests' own in the top layers of a small image tower: low-rank maps with dropout
// on q and v, as LoRA (Hu et al. 2022) has them.
#pragma once

#include <espalier/nn/pretrained.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones_like.h>
#include <gtest/gtest.h>

#include "train/tower_source.hpp"
#include <espalier/nn/dropout.hpp>
#include <espalier/nn/parameters.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/cases.hpp"

namespace espalier::adapted {

inline at::Tensor noise(at::IntArrayRef sizes, const std::string& stream) {
  Random random(1, stream);
  return uniform_init(sizes, 1.0, random);
}

struct Tower {
  Tower(const std::string& model, std::int64_t first_layer)
      : encoder(load_pretrained(cases::encoder_case(model))) {
    to_double();
    for (const char* part : {"q", "v"}) {
      for (Site* site : encoder->sites(SiteRole::linear, part)) {
        if (site->tower == TowerKind::image && site->layer >= first_layer) adapt(*site);
      }
    }
  }

  // Softmax hides small gradients of q in float32's rounding; in float64 all can be compared.
  void to_double() {
    std::vector<WeightSlot> weights = encoder->weights();
    for (WeightSlot& weight : weights) {
      weight.frozen = weight.frozen.to(at::kDouble);
      *weight.slot = weight.frozen;
    }
    encoder->adopt(std::move(weights));
  }

  void adapt(Site& site) {
    const std::int64_t out = site.weight.size(0), in = site.weight.size(1);
    const at::Tensor a =
        parameters.add(site.name + ".lora_A.weight", small_noise({2, in}, site.name + "a"));
    const at::Tensor b =
        parameters.add(site.name + ".lora_B.weight", small_noise({out, 2}, site.name + "b"));
    site.hook_output(
        [this, a, b, name = site.name](const at::Tensor& x, const at::Tensor& y, const Mode& mode) {
          const at::Tensor mask = dropout(at::ones_like(x), 0.3, mode, name);
          if (mode.training) note(name, mask, mode);
          return y + at::linear(at::linear(x * mask, a), b);
        });
  }

  static at::Tensor small_noise(at::IntArrayRef sizes, const std::string& stream) {
    return noise(sizes, stream).to(at::kDouble) * 0.1;
  }

  // A sample has one mask at a site, whenever it comes; where only its class token does, the first
  // line of it.
  void note(const std::string& site, const at::Tensor& mask, const Mode& mode) {
    for (std::size_t row = 0; row < mode.dropout.rows.size(); ++row) {
      const at::Tensor own = mask[static_cast<std::int64_t>(row)];
      const auto known = masks.try_emplace({site, mode.dropout.rows[row]}, own.clone()).first;
      const std::int64_t lines = std::min(own.size(0), known->second.size(0));
      EXPECT_TRUE(known->second.narrow(0, 0, lines).equal(own.narrow(0, 0, lines))) << site;
    }
  }

  [[nodiscard]] const VisionTower& image() const { return *encoder->image(); }
  [[nodiscard]] at::Tensor pixels(const Look& look) const {
    const std::int64_t side = image().image_size();
    return noise({3, side, side}, std::to_string(look_id(look)));
  }
  [[nodiscard]] std::shared_ptr<ActivationSource> pixel_source() const {
    return std::make_shared<PixelSource>([this](const Look& look) { return pixels(look); }, 2);
  }
  // With the activations at the cut computed from the pixels.
  [[nodiscard]] std::shared_ptr<TowerSource> source(std::int64_t chunk) const {
    const std::int64_t cut = encoder->cut(TowerKind::image);
    const auto below = std::make_shared<ComputedActivations>(image(), pixel_source(), -1, cut);
    return std::make_shared<TowerSource>(image(), cut, below, chunk);
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  Parameters parameters;
  std::map<std::pair<std::string, std::uint64_t>, at::Tensor> masks;
};

inline std::vector<Look> looks(std::size_t count, std::size_t first = 0) {
  std::vector<Look> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back({.sample = first + i});
  return list;
}

}  // namespace espalier::adapted
