// Pictures as a trial looks at them: as they are, and in training as fixed random views of them.
#pragma once

#include "train/look.hpp"
#include "train/unlabelled_dataset.hpp"
#include <cstdint>
#include <espalier/image/views.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/tensor/tensor.hpp>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// How views are drawn: train.view_seed, train.view_scale. Pictures are turned over every other
// time.
struct ViewDraw {
  std::int64_t seed = 1;
  ViewOptions options;
};

class Pictures {
 public:
  // The names of the components, for messages. The photos must outlive it.
  Pictures(const UnlabelledDataset& photos, const ViewDraw& draw, std::string dataset_name,
           std::string encoder_name)
      : photos_(photos),
        draw_(draw),
        dataset_name_(std::move(dataset_name)),
        encoder_name_(std::move(encoder_name)) {}

  // What the encoder's image tower takes. Thread-safe.
  [[nodiscard]] at::Tensor pixels(const Encoder& encoder, const Look& look) const;
  // By which a look's row is known in the cache: the sample's id, before it how a view was drawn.
  [[nodiscard]] std::string name(const Look& look) const;

 private:
  const UnlabelledDataset& photos_;
  ViewDraw draw_;
  std::string dataset_name_;
  std::string encoder_name_;
};

// Each of the samples plainly, and the first `viewed` of them in views 1 to `views` as well.
[[nodiscard]] std::vector<Look> picture_looks(std::span<const std::size_t> samples,
                                              std::size_t viewed, std::int64_t views);

}  // namespace espalier
