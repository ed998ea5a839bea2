// How well the towers match pictures to descriptions of classes that they were not trained on.
#pragma once

#include "datasets/flora/flora.hpp"
#include <cstdint>
#include <espalier/nn/adaptable.hpp>
#include <espalier/text/tokenizer.hpp>

namespace espalier::flora_clip {

struct ZeroShot {
  std::int64_t classes = 40;
  std::int64_t per_class = 10;
  double difficulty = 0.5;
};

// Share of pictures of the pool's first species whose own description, averaged over all wordings,
// is the nearest of all.
[[nodiscard]] double zero_shot_accuracy(const AdaptableEncoder& model, const Tokenizer& tokenizer,
                                        flora::Pool pool, const ZeroShot& setting = {});

}  // namespace espalier::flora_clip
