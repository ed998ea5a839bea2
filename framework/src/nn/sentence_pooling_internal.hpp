// From the states of tokens to one vector a text.
#pragma once

#include <espalier/tensor/tensor.hpp>
#include <espalier/text/sentence_modules.hpp>

namespace espalier {

// states [n, l, w], valid bool [n, l] or undefined; gives [n, w], before any normalisation.
[[nodiscard]] at::Tensor pool_sentence(SentencePooling pooling, const at::Tensor& states,
                                       const at::Tensor& valid);

}  // namespace espalier
