// CLIP (Radford et al. 2021), as CLIPModel of Hugging Face has it.
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "embedding_internal.hpp"
#include "families_internal.hpp"

namespace espalier {
namespace {

constexpr LayerNames layer_names(std::string_view prefix) {
  return {.prefix = prefix,
          .q = "self_attn.q_proj",
          .k = "self_attn.k_proj",
          .v = "self_attn.v_proj",
          .out = "self_attn.out_proj",
          .fc1 = "mlp.fc1",
          .fc2 = "mlp.fc2",
          .norm1 = "layer_norm1",
          .norm2 = "layer_norm2",
          .attention = "self_attn",
          .mlp = "mlp",
          .scale1 = {},
          .scale2 = {}};
}

constexpr PatchNames patch_names{.embeddings = "vision_model.embeddings",
                                 .patch = "vision_model.embeddings.patch_embedding",
                                 .class_token = "vision_model.embeddings.class_embedding",
                                 .positions = "vision_model.embeddings.position_embedding.weight",
                                 .batched = false};

struct ClipTextConfig {
  TransformerConfig transformer;
  std::int64_t vocabulary = 49408;
  std::int64_t max_length = 77;
  std::int64_t eos = 49407;
};

class ClipVision final : public VisionTower {
 public:
  ClipVision(const PatchConfig& patches, const TransformerConfig& config, std::int64_t width,
             WeightReader& reader)
      : VisionTower(config.layers, width, patches.image_size, patches.patch_size),
        embedding_(patches, patch_names, reader),
        pre_norm_(tower_site(TowerKind::image, -1, SiteRole::norm, "vision_model.pre_layrnorm",
                             "embeddings")),
        transformer_(TowerKind::image, config, layer_names("vision_model.encoder.layers"), reader),
        post_norm_(tower_site(TowerKind::image, config.layers, SiteRole::norm,
                              "vision_model.post_layernorm", "final")),
        projection_(tower_site(TowerKind::image, config.layers, SiteRole::linear,
                               "visual_projection", "projection")) {
    reader.bind_norm(pre_norm_, config.width);
    reader.bind_norm(post_norm_, config.width);
    reader.bind_linear(projection_, width, config.width, /*bias=*/false);
  }

  [[nodiscard]] Activations embed(const at::Tensor& pixels, const Mode& mode) const override {
    return {apply_norm(pre_norm_, embedding_.forward(pixels, mode), eps(), mode), {}, {}};
  }

  [[nodiscard]] Activations head_input(const Activations& output) const override {
    return {output.states.narrow(1, 0, 1), {}, {}};
  }

  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    const at::Tensor pooled = apply_norm(post_norm_, output.states.select(1, 0), eps(), mode);
    const at::Tensor feature = apply_linear(projection_, pooled, mode);
    return {output.states, pooled, feature, feature};
  }

  void collect_below(std::vector<Site*>& sites) override {
    embedding_.collect(sites);
    sites.push_back(&pre_norm_);
    transformer_.collect(sites);
    for (Site* site : {&post_norm_, &projection_}) sites.push_back(site);
  }

  [[nodiscard]] double eps() const { return transformer_.config().eps; }

  PatchEmbedding embedding_;
  Site pre_norm_;
  Transformer transformer_;
  Site post_norm_, projection_;
};

class ClipText final : public TextTower {
 public:
  ClipText(const ClipTextConfig& config, std::int64_t width, WeightReader& reader)
      : TextTower(config.transformer.layers, width, config.max_length, config.vocabulary),
        eos_(config.eos),
        embedding_("text_model.embeddings", "token_embedding", "position_embedding",
                   config.vocabulary, config.max_length, config.transformer.width, reader),
        transformer_(TowerKind::text, config.transformer, layer_names("text_model.encoder.layers"),
                     reader),
        final_norm_(tower_site(TowerKind::text, config.transformer.layers, SiteRole::norm,
                               "text_model.final_layer_norm", "final")),
        projection_(tower_site(TowerKind::text, config.transformer.layers, SiteRole::linear,
                               "text_projection", "projection")) {
    reader.bind_norm(final_norm_, config.transformer.width);
    reader.bind_linear(projection_, width, config.transformer.width, /*bias=*/false);
  }

  [[nodiscard]] TextBatching batching() const override { return TextBatching::causal_end; }
  [[nodiscard]] std::int64_t padding_id() const override { return 0; }

  // The largest id where the configuration has the old, wrong eos_token_id of 2, else the first
  // eos_token_id, or position 0 where a text has none.
  [[nodiscard]] std::int64_t pooled_position(std::span<const std::int64_t> ids) const override {
    if (eos_ == old_eos) return std::max_element(ids.begin(), ids.end()) - ids.begin();
    const auto end = std::find(ids.begin(), ids.end(), eos_);
    return end == ids.end() ? 0 : end - ids.begin();
  }

  [[nodiscard]] Activations embed(const TokenBatch& batch, const Mode& mode) const override {
    check(batch);
    const at::Tensor ids = batch.ids.cpu().contiguous();
    const auto* row = ids.data_ptr<std::int64_t>();
    at::Tensor ends = at::empty({ids.size(0)}, at::kLong);
    for (std::int64_t i = 0; i < ids.size(0); ++i, row += ids.size(1)) {
      ends.data_ptr<std::int64_t>()[i] =
          pooled_position({row, static_cast<std::size_t>(ids.size(1))});
    }
    return {embedding_.forward(batch.ids, mode), batch.valid, ends.to(batch.ids.device())};
  }

  [[nodiscard]] Activations head_input(const Activations& output) const override {
    const at::Tensor rows = at::arange(output.states.size(0), output.pooled.options());
    return {
        output.states.index({rows, output.pooled}).unsqueeze(1), {}, at::zeros_like(output.pooled)};
  }

  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    const double eps = transformer_.config().eps;
    const at::Tensor last = apply_norm(final_norm_, output.states, eps, mode);
    const at::Tensor rows = at::arange(last.size(0), output.pooled.options());
    const at::Tensor pooled = last.index({rows, output.pooled});
    const at::Tensor feature = apply_linear(projection_, pooled, mode);
    return {last, pooled, feature, feature};
  }

  void collect_below(std::vector<Site*>& sites) override {
    embedding_.collect(sites);
    transformer_.collect(sites);
    for (Site* site : {&final_norm_, &projection_}) sites.push_back(site);
  }

  static constexpr std::int64_t old_eos = 2;

  std::int64_t eos_;
  WordEmbedding embedding_;
  Transformer transformer_;
  Site final_norm_, projection_;
};

ClipTextConfig text_config(const ConfigReader& config) {
  ClipTextConfig text;
  text.transformer = config.transformer({.layers = 12,
                                         .width = 512,
                                         .heads = 8,
                                         .intermediate = 2048,
                                         .eps = 1e-5,
                                         .activation = Activation::quick_gelu,
                                         .order = NormOrder::pre,
                                         .causal = true,
                                         .qkv_bias = true},
                                        "quick_gelu");
  text.vocabulary = config.integer("vocab_size", text.vocabulary, 1, 1 << 22);
  text.max_length = config.integer("max_position_embeddings", text.max_length);
  text.eos = config.integer("eos_token_id", text.eos, 0, 1 << 22);
  return text;
}

}  // namespace

std::unique_ptr<AdaptableEncoder> build_clip(const FamilyInput& input) {
  const ConfigReader vision = input.config.section("vision_config");
  const PatchConfig patches = patch_config(
      vision, {.width = 768, .channels = 3, .image_size = 224, .patch_size = 32, .bias = false});
  const TransformerConfig layers = vision.transformer({.layers = 12,
                                                       .width = 768,
                                                       .heads = 12,
                                                       .intermediate = 3072,
                                                       .eps = 1e-5,
                                                       .activation = Activation::quick_gelu,
                                                       .order = NormOrder::pre,
                                                       .causal = false,
                                                       .qkv_bias = true},
                                                      "quick_gelu");
  const ClipTextConfig text = text_config(input.config.section("text_config"));
  const std::int64_t width = input.config.integer("projection_dim", 512);
  input.problems.throw_if_any();

  input.reader.ignore(".position_ids");
  auto encoder = std::make_unique<AdaptableEncoder>(
      std::make_unique<ClipVision>(patches, layers, width, input.reader),
      std::make_unique<ClipText>(text, width, input.reader));
  input.reader.bind("logit_scale", {}, encoder->log_logit_scale, std::nullopt);
  return encoder;
}

}  // namespace espalier
