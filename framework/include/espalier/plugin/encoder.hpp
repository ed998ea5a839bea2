// Kind `encoder`: frozen towers that turn images and texts into features.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/image/image.hpp>
#include <espalier/image/views.hpp>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

class AdaptableEncoder;  // nn/adaptable.hpp: towers with named sites

using TokenLists = std::vector<std::vector<std::int64_t>>;

// Features are float32 rows on the encoder's device, without gradient. A row depends on its own
// input alone, to the last bit: f(x)[i] equals f(x[i:i+1]), so it does not matter which samples are
// encoded together. image_features() and text_features() of nn/tower.hpp see to that. A call for a
// tower that is not there throws Error.
//
// Capabilities: `image`, `text` (which towers there are), `shared_space` (image and text features
// can be compared by cosine), `sites` (adaptable() answers), `fitted` (fit() must come first),
// `given` (it has no tower of its own: what it stands for are the features that a dataset has).
class Encoder {
 public:
  using Interface = Encoder;
  static constexpr std::string_view kind = "encoder";

  virtual ~Encoder();

  // Width of the features, 0 where there is no such tower.
  [[nodiscard]] virtual std::int64_t image_width() const = 0;
  [[nodiscard]] virtual std::int64_t text_width() const = 0;

  // Called once, with the texts of the training split alone; labels are never given.
  virtual void fit(std::span<const std::string> training_texts);

  // A picture of any size as the image tower takes it: resized, cut, normalised. On the CPU, of one
  // shape and type for all pictures. Called from several threads at once.
  [[nodiscard]] virtual at::Tensor pixels(const Image& image) const;
  // The same of a random part of the picture, for training. By default pixels() of a view that has
  // the picture's own size.
  [[nodiscard]] virtual at::Tensor view(const Image& image, const ViewOptions& options,
                                        Random& random) const;
  // [n, image_width()] of n results of pixels(), stacked.
  [[nodiscard]] virtual at::Tensor encode_pixels(const at::Tensor& pixels) const;
  // [n, text_width()]
  [[nodiscard]] virtual at::Tensor encode_texts(std::span<const std::string> texts) const;
  // [n, image_width()]: pixels() and encode_pixels().
  [[nodiscard]] at::Tensor encode_images(std::span<const Image> images) const;

  // What the parameters came to on this machine, such as {"precision": "bfloat16"} for `auto`. Rows
  // that were made under different settings are never used together.
  [[nodiscard]] virtual Json settings() const;

  // Multiplies cosines of image and text features in zero-shot logits.
  [[nodiscard]] virtual double logit_scale() const;
  // With `sites`: the ids that the text tower of adaptable() takes for each text, special tokens
  // included.
  [[nodiscard]] virtual TokenLists tokens(std::span<const std::string> texts) const;
  // The towers with their sites, or null where nothing can be attached.
  [[nodiscard]] virtual AdaptableEncoder* adaptable();
};

}  // namespace espalier
