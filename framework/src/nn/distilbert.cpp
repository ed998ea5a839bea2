// DistilBERT (Sanh et al. 2019), as DistilBertModel of Hugging Face has it: BERT's layers without
// token types and without a pooler.
#include <ATen/ops/arange.h>

#include "families_internal.hpp"
#include "sentence_tower_internal.hpp"

namespace espalier {
namespace {

constexpr LayerNames distilbert_layers{.prefix = "transformer.layer",
                                       .q = "attention.q_lin",
                                       .k = "attention.k_lin",
                                       .v = "attention.v_lin",
                                       .out = "attention.out_lin",
                                       .fc1 = "ffn.lin1",
                                       .fc2 = "ffn.lin2",
                                       .norm1 = "sa_layer_norm",
                                       .norm2 = "output_layer_norm",
                                       .attention = "attention",
                                       .mlp = "ffn",
                                       .scale1 = {},
                                       .scale2 = {}};

constexpr TransformerKeys keys{.width = "dim",
                               .layers = "n_layers",
                               .heads = "n_heads",
                               .intermediate = "hidden_dim",
                               .activation = "activation"};

class DistilbertText final : public SentenceTower {
 public:
  DistilbertText(const SentenceConfig& config, WeightReader& reader)
      : SentenceTower(config, distilbert_layers, reader) {}

  [[nodiscard]] Activations embed(const TokenBatch& batch, const Mode& mode) const override {
    check(batch);
    const at::Tensor positions = at::arange(batch.ids.size(1), batch.ids.options());
    return normalised(embedding_.forward(batch, positions, {}, mode), batch, mode);
  }
};

}  // namespace

std::unique_ptr<AdaptableEncoder> build_distilbert(const FamilyInput& input) {
  constexpr double eps = 1e-12;  // written into the class
  SentenceConfig defaults;
  defaults.vocabulary = 30522;
  defaults.transformer.layers = 6;
  defaults.transformer.eps = eps;
  SentenceConfig config = sentence_config(input.config, defaults, input.modules, keys);
  config.transformer.eps = eps;
  input.problems.throw_if_any();

  for (const char* unused : {"vocab_transform.", "vocab_layer_norm.", "vocab_projector.",
                             "pre_classifier.", "classifier.", "qa_outputs."}) {
    input.reader.ignore(unused);
  }
  return std::make_unique<AdaptableEncoder>(nullptr,
                                            std::make_unique<DistilbertText>(config, input.reader));
}

}  // namespace espalier
