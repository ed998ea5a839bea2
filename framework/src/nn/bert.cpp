// BERT (Devlin et al. 2019), as BertModel of Hugging Face has it, MiniLM included.
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/zeros_like.h>

#include "families_internal.hpp"
#include "sentence_tower_internal.hpp"

namespace espalier {
namespace {

constexpr LayerNames bert_layers{.prefix = "encoder.layer",
                                 .q = "attention.self.query",
                                 .k = "attention.self.key",
                                 .v = "attention.self.value",
                                 .out = "attention.output.dense",
                                 .fc1 = "intermediate.dense",
                                 .fc2 = "output.dense",
                                 .norm1 = "attention.output.LayerNorm",
                                 .norm2 = "output.LayerNorm",
                                 .attention = "attention",
                                 .mlp = "output",
                                 .scale1 = {},
                                 .scale2 = {}};

class BertText final : public SentenceTower {
 public:
  BertText(const SentenceConfig& config, std::int64_t types, WeightReader& reader)
      : SentenceTower(config, bert_layers, reader) {
    reader.bind("embeddings.token_type_embeddings.weight", {types, config.transformer.width},
                types_, WeightPlace{TowerKind::text, -1});
  }

  [[nodiscard]] Activations embed(const TokenBatch& batch, const Mode& mode) const override {
    check(batch);
    const at::Tensor types = batch.types.defined() ? batch.types : at::zeros_like(batch.ids);
    check_types(types);
    const at::Tensor positions = at::arange(batch.ids.size(1), batch.ids.options());
    const at::Tensor extra = at::embedding(types_, types);
    return normalised(embedding_.forward(batch, positions, extra, mode), batch, mode);
  }

 private:
  void check_types(const at::Tensor& types) const {
    if (types.numel() == 0) return;
    const auto low = types.min().item<std::int64_t>();
    const auto high = types.max().item<std::int64_t>();
    if (low >= 0 && high < types_.size(0)) return;
    throw Error({.what = "a token type is out of range",
                 .where = "token_type_ids",
                 .expected = "0 to " + std::to_string(types_.size(0) - 1),
                 .found = std::to_string(low < 0 ? low : high),
                 .fix = {}});
  }

  at::Tensor types_;
};

}  // namespace

std::unique_ptr<AdaptableEncoder> build_bert(const FamilyInput& input) {
  SentenceConfig defaults;
  defaults.vocabulary = 30522;
  defaults.transformer.layers = 12;
  defaults.transformer.eps = 1e-12;
  SentenceConfig config = sentence_config(input.config, defaults, input.modules);
  config.transformer.causal = input.config.flag("is_decoder", false);
  const std::int64_t types = input.config.integer("type_vocab_size", 2, 1, 64);
  const std::string positions = input.config.text("position_embedding_type", "absolute");
  if (positions != "absolute") {
    input.config.fail("this kind of positions is not known here",
                      "`position_embedding_type`: absolute", positions);
  }
  if (input.config.flag("add_cross_attention", false)) {
    input.config.fail("a decoder that looks at another model's states is not built here",
                      "`add_cross_attention`: false", "true");
  }
  input.problems.throw_if_any();

  for (const char* unused : {"position_ids", "cls.", "classifier.", "qa_outputs."}) {
    input.reader.ignore(unused);
  }
  return std::make_unique<AdaptableEncoder>(
      nullptr, std::make_unique<BertText>(config, types, input.reader));
}

}  // namespace espalier
