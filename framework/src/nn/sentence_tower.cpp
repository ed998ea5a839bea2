#include "sentence_tower_internal.hpp"

#include <ATen/ops/tanh.h>

#include <espalier/nn/unit_rows.hpp>

namespace espalier {

SentenceTower::SentenceTower(const SentenceConfig& config, const LayerNames& names,
                             WeightReader& reader)
    : TextTower(config.transformer.layers, config.transformer.width, config.max_length,
                config.vocabulary),
      config_(config),
      embedding_("embeddings", "word_embeddings", "position_embeddings", config.vocabulary,
                 config.positions, config.transformer.width, reader),
      norm_(tower_site(TowerKind::text, -1, SiteRole::norm, "embeddings.LayerNorm", "embeddings")),
      transformer_(TowerKind::text, config.transformer, names, reader) {
  const std::int64_t w = config.transformer.width;
  reader.bind_norm(norm_, w);
  if (reader.has("pooler.dense.weight")) {
    pooler_ = tower_site(TowerKind::text, config.transformer.layers + 2, SiteRole::linear,
                         "pooler.dense", "pooler");
    reader.bind_linear(*pooler_, w, w);
  }
}

Activations SentenceTower::normalised(const at::Tensor& sum, const TokenBatch& batch,
                                      const Mode& mode) const {
  return {apply_norm(norm_, sum, config_.transformer.eps, mode), batch.valid, {}};
}

at::Tensor SentenceTower::feature_positions(const Activations& activations) const {
  const bool first = config_.modules.pooling == SentencePooling::cls;
  return first ? class_token_positions(activations) : at::Tensor();
}

TowerOutput SentenceTower::pool(const Activations& output, const Mode& mode) const {
  TowerOutput out;
  out.last_hidden_state = output.states;
  if (pooler_) out.pooled = at::tanh(apply_linear(*pooler_, output.states.select(1, 0), mode));
  out.raw = pool_sentence(config_.modules.pooling, output.states, output.valid);
  out.feature = config_.modules.normalize ? unit_rows(out.raw) : out.raw;
  return out;
}

void SentenceTower::collect_below(std::vector<Site*>& sites) {
  embedding_.collect(sites);
  sites.push_back(&norm_);
  transformer_.collect(sites);
  if (pooler_) sites.push_back(&*pooler_);
}

SentenceConfig sentence_config(const ConfigReader& config, const SentenceConfig& defaults,
                               const SentenceModules& modules, const TransformerKeys& keys) {
  SentenceConfig sentence = defaults;
  sentence.transformer = config.transformer({.layers = defaults.transformer.layers,
                                             .width = 768,
                                             .heads = 12,
                                             .intermediate = 3072,
                                             .eps = defaults.transformer.eps,
                                             .activation = Activation::gelu,
                                             .order = NormOrder::post,
                                             .causal = false,
                                             .qkv_bias = true},
                                            "gelu", keys);
  sentence.vocabulary = config.integer("vocab_size", defaults.vocabulary, 1, 1 << 22);
  sentence.positions = config.integer("max_position_embeddings", defaults.positions);
  sentence.max_length = sentence.positions;
  sentence.padding = config.integer("pad_token_id", defaults.padding, 0, 1 << 22);
  sentence.modules = modules;
  return sentence;
}

}  // namespace espalier
