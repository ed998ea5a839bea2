// From node states to class scores.
#pragma once

#include "experiment/sections.hpp"
#include "train/values.hpp"
#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <memory>

namespace espalier {

class Head {
 public:
  virtual ~Head() = default;

  // Creates its parameters for states of this width. Throws Error where it cannot judge them.
  virtual void init(std::int64_t width, std::int64_t classes, Parameters& parameters,
                    Random& random) = 0;
  // States [n, width] to [n, classes].
  [[nodiscard]] virtual at::Tensor operator()(const at::Tensor& states,
                                              const Values& values) const = 0;
};

// What a head may want to know of the encoder.
struct ClassSpace {
  std::int64_t width = 0;   // of class vectors; 0: there are none
  double logit_scale = 1;   // on cosines of pictures and texts
  at::Tensor vectors = {};  // [classes, width], as Values::classes of a frozen encoder
};

// For networks that score classes themselves: leaves their states as they are.
[[nodiscard]] std::unique_ptr<Head> no_head();

// By head.use: `linear` x W^T + b; `cosine` s cos(x, w_c) with s trained; `prompts` s cos(x, t_c)
// with t_c the vectors that the encoder gives the classes' texts and s the encoder's own, or with
// head.average: scores the mean of s cos(x, t) over the texts t of a class: it has no parameters.
// `zero_shot` is `prompts` where nothing else has any. With head.init: prompts, `linear` and
// `cosine` start from w_c = t_c: W = s t, b = 0, so that on states of length 1 they begin as
// `prompts`; the space's vectors must be known then.
[[nodiscard]] std::unique_ptr<Head> make_head(const HeadParams& params, const ClassSpace& space);

}  // namespace espalier
