// How features and captions lie in a part of the cache.
#pragma once

#include "cache/stage_entry.hpp"
#include "train/feature_table.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// What a trial wants to know of an encoder that it need not load.
struct EncoderFacts {
  std::int64_t parameters = 0;
  double logit_scale = 1;
};

// Rows of features, of all batches.
void add_rows(StageEntry& entry, std::span<const std::string> ids,
              const std::vector<at::Tensor>& rows, const EncoderFacts& facts);
void add_texts(StageEntry& entry, std::span<const std::string> ids,
               const std::vector<std::string>& texts);

// The rows of `ids`, of which none is missing. Throws Error where the parts do not fit together.
[[nodiscard]] FeatureTable stored_rows(std::shared_ptr<const StageEntry> entry,
                                       std::span<const std::string> ids);
[[nodiscard]] EncoderFacts facts_at(const StagePart& part);
[[nodiscard]] std::string text_at(const StagePart& part, std::size_t row);

// Bytes that a batch takes when it is stored.
[[nodiscard]] std::int64_t size_of(const at::Tensor& rows);
[[nodiscard]] std::int64_t size_of(const std::vector<std::string>& texts);

}  // namespace espalier
