#include "sentence_pooling_internal.hpp"

#include <ATen/TensorOperators.h>

#include <cmath>
#include <limits>

namespace espalier {

at::Tensor pool_sentence(SentencePooling pooling, const at::Tensor& states,
                         const at::Tensor& valid) {
  if (pooling == SentencePooling::cls) return states.select(1, 0);
  const bool padded = valid.defined();
  if (pooling == SentencePooling::max) {
    return (padded ? states.masked_fill(valid.logical_not().unsqueeze(-1),
                                        -std::numeric_limits<double>::infinity())
                   : states)
        .amax(1);
  }
  const bool mean = pooling == SentencePooling::mean;
  if (!padded) {
    const auto count = static_cast<double>(states.size(1));
    return mean ? states.mean(1) : states.sum(1) / std::sqrt(count);
  }
  const at::Tensor weights = valid.unsqueeze(-1).to(states.scalar_type());
  const at::Tensor count = weights.sum(1).clamp_min(1e-9);
  return (states * weights).sum(1) / (mean ? count : count.sqrt());
}

}  // namespace espalier
