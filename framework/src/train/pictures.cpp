#include "train/pictures.hpp"

#include "train/component_call.hpp"
#include <espalier/core/json.hpp>

namespace espalier {

at::Tensor Pictures::pixels(const Encoder& encoder, const Look& look) const {
  const std::string& id = photos_.id(look.sample);
  const Image image =
      call_component(dataset_name_, "image of " + id, [&] { return photos_.image(look.sample); });
  if (look.view == 0) {
    return call_component(encoder_name_, "pixels", [&] { return encoder.pixels(image); });
  }
  Random random = view_random(draw_.seed, id, look.view);
  return call_component(encoder_name_, "view",
                        [&] { return encoder.view(image, draw_.options, random); });
}

std::string Pictures::name(const Look& look) const {
  const std::string& id = photos_.id(look.sample);
  if (look.view == 0) return id;
  const Json drawn = {
      {"scale", draw_.options.scale_min}, {"seed", draw_.seed}, {"view", look.view}};
  return canonical_json(drawn) + " " + id;
}

std::vector<Look> picture_looks(std::span<const std::size_t> samples, std::size_t viewed,
                                std::int64_t views) {
  std::vector<Look> looks = plain_looks(samples);
  for (const std::size_t sample : samples.first(viewed)) {
    for (std::int64_t view = 1; view <= views; ++view) looks.push_back({sample, view});
  }
  return looks;
}

}  // namespace espalier
