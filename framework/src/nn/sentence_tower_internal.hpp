// The post-norm text towers of BERT, DistilBERT and MPNet: what they share around their embeddings.
#pragma once

#include <espalier/nn/tower.hpp>
#include <optional>

#include "config_internal.hpp"
#include "embedding_internal.hpp"
#include "sentence_pooling_internal.hpp"

namespace espalier {

struct SentenceConfig {
  TransformerConfig transformer;
  std::int64_t vocabulary = 0;
  std::int64_t positions = 512;   // rows of the position table
  std::int64_t max_length = 512;  // positions that a text may use
  std::int64_t padding = 0;
  SentenceModules modules;
};

// The feature is the sentence embedding as modules.json makes it. Only texts of equal length share
// a batch, so that none is padded.
class SentenceTower : public TextTower {
 public:
  SentenceTower(const SentenceConfig& config, const LayerNames& names, WeightReader& reader);

  [[nodiscard]] TextBatching batching() const override { return TextBatching::equal_length; }
  [[nodiscard]] std::int64_t padding_id() const override { return config_.padding; }
  [[nodiscard]] std::int64_t pooled_position(std::span<const std::int64_t>) const override {
    return 0;
  }

  [[nodiscard]] at::Tensor feature_positions(const Activations& activations) const override;
  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 protected:
  // What the first layer gets, from the sum of embeddings.
  [[nodiscard]] Activations normalised(const at::Tensor& sum, const TokenBatch& batch,
                                       const Mode& mode) const;

  SentenceConfig config_;
  WordEmbedding embedding_;

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override;
  void collect_below(std::vector<Site*>& sites) override;

  Site norm_;
  Transformer transformer_;
  std::optional<Site> pooler_;
};

// The sizes; `keys` are BERT's and MPNet's.
[[nodiscard]] SentenceConfig sentence_config(const ConfigReader& config,
                                             const SentenceConfig& defaults,
                                             const SentenceModules& modules,
                                             const TransformerKeys& keys = {});

}  // namespace espalier
