// MPNet (Song et al. 2020), as MPNetModel of Hugging Face has it: BERT's layers, positions that
// begin after the padding id, and a bias by relative position in every layer's attention.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>

#include <algorithm>
#include <cmath>

#include "families_internal.hpp"
#include "sentence_tower_internal.hpp"

namespace espalier {
namespace {

constexpr LayerNames mpnet_layers{.prefix = "encoder.layer",
                                  .q = "attention.attn.q",
                                  .k = "attention.attn.k",
                                  .v = "attention.attn.v",
                                  .out = "attention.attn.o",
                                  .fc1 = "intermediate.dense",
                                  .fc2 = "output.dense",
                                  .norm1 = "attention.LayerNorm",
                                  .norm2 = "output.LayerNorm",
                                  .attention = "attention",
                                  .mlp = "output",
                                  .scale1 = {},
                                  .scale2 = {}};

// T5's buckets (Raffel et al. 2020): half for each direction, small distances one each, larger ones
// by logarithm up to 128. `distance` is key minus query.
std::int64_t bucket_of(std::int64_t distance, std::int64_t buckets) {
  constexpr double farthest = 128.0;
  const std::int64_t half = buckets / 2, exact = half / 2;
  const std::int64_t side = distance > 0 ? half : 0;
  const std::int64_t far = std::abs(distance);
  if (far < exact) return side + far;
  const float ratio = std::log(static_cast<float>(far) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(farthest / static_cast<double>(exact)));
  const auto step = static_cast<std::int64_t>(ratio * static_cast<float>(half - exact));
  return side + std::min(exact + step, half - 1);
}

class MpnetText final : public SentenceTower {
 public:
  MpnetText(const SentenceConfig& config, std::int64_t buckets, WeightReader& reader)
      : SentenceTower(config, mpnet_layers, reader) {
    reader.bind("encoder.relative_attention_bias.weight", {buckets, config.transformer.heads},
                relative_, WeightPlace{TowerKind::text, 0});
  }

  [[nodiscard]] Activations embed(const TokenBatch& batch, const Mode& mode) const override {
    check(batch);
    const at::Tensor real = batch.ids.ne(config_.padding).to(at::kLong);
    const at::Tensor positions = real.cumsum(1) * real + config_.padding;
    return normalised(embedding_.forward(batch, positions, {}, mode), batch, mode);
  }

 private:
  [[nodiscard]] at::Tensor run_layers(const Activations& input, std::int64_t from, std::int64_t to,
                                      const Mode& mode,
                                      const at::Tensor& positions) const override {
    const at::Tensor relative = relative_bias(input.states.size(1));
    return transformer().run(input.states, from, to, mode, input.valid, relative, positions);
  }

  // [1, heads, l, l]
  [[nodiscard]] at::Tensor relative_bias(std::int64_t length) const {
    at::Tensor buckets = at::arange(length * length, at::kLong);
    auto* out = buckets.data_ptr<std::int64_t>();
    for (std::int64_t query = 0; query < length; ++query) {
      for (std::int64_t key = 0; key < length; ++key) {
        *out++ = bucket_of(key - query, relative_.size(0));
      }
    }
    const at::Tensor index = buckets.view({length, length}).to(relative_.device());
    return at::embedding(relative_, index).permute({2, 0, 1}).unsqueeze(0);
  }

  at::Tensor relative_;
};

}  // namespace

std::unique_ptr<AdaptableEncoder> build_mpnet(const FamilyInput& input) {
  SentenceConfig defaults;
  defaults.vocabulary = 30527;
  defaults.padding = 1;
  defaults.transformer.layers = 12;
  defaults.transformer.eps = 1e-12;
  SentenceConfig config = sentence_config(input.config, defaults, input.modules);
  config.max_length = config.positions - config.padding - 1;
  const std::int64_t buckets = input.config.integer("relative_attention_num_buckets", 32, 4, 4096);
  if (config.max_length < 1) {
    input.config.fail("no position is left after the padding id",
                      "`max_position_embeddings` above " + std::to_string(config.padding + 1),
                      std::to_string(config.positions));
  }
  input.problems.throw_if_any();

  for (const char* unused : {"position_ids", "lm_head.", "classifier.", "qa_outputs."}) {
    input.reader.ignore(unused);
  }
  return std::make_unique<AdaptableEncoder>(
      nullptr, std::make_unique<MpnetText>(config, buckets, input.reader));
}

}  // namespace espalier
