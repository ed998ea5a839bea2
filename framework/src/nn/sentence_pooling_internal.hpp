// modules.json of a sentence-transformers folder: how token states become one sentence embedding.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/tensor/tensor.hpp>
#include <filesystem>

namespace espalier {

enum class SentencePooling { mean, cls, max, mean_sqrt_length };

struct SentenceHead {
  SentencePooling pooling = SentencePooling::mean;
  bool normalize = false;
};

// The mean without normalisation where there is no modules.json, as sentence-transformers does.
// Adds problems on modules or poolings that are not known here.
[[nodiscard]] SentenceHead sentence_head(const std::filesystem::path& folder, Problems& problems);

// states [n, l, w], valid bool [n, l] or undefined; gives [n, w], before any normalisation.
[[nodiscard]] at::Tensor pool_sentence(SentencePooling pooling, const at::Tensor& states,
                                       const at::Tensor& valid);

}  // namespace espalier
