// Features without the mean of their modality.
//
// Images and texts of CLIP-like encoders stand in separate cones: two images are far more alike
// than an image and its text, and all cosines of one modality are large (Liang et al. 2022).
// Without the means cosines spread, within modalities and across.
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

class Centring {
 public:
  // Takes nothing away.
  Centring() = default;
  // Of features float32 [n, d] in `views` blocks, of each of which the first `fit` rows count; -1:
  // all. Summed in double in the order of the rows.
  Centring(const at::Tensor& features, std::int64_t views, std::int64_t fit);

  [[nodiscard]] at::Tensor operator()(const at::Tensor& features) const;

 private:
  at::Tensor means_;  // float32 [views, d]
};

}  // namespace espalier
