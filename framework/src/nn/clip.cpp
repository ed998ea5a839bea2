// CLIP (Radford et al. 2021), as CLIPModel of Hugging Face has it, and its halves as CLIPTextModel
// and CLIPVisionModel have them, with and without a projection.
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <optional>

#include "embedding_internal.hpp"
#include "families_internal.hpp"

namespace espalier {
namespace {

constexpr PatchNames clip_patches{.embeddings = "vision_model.embeddings",
                                  .patch = "vision_model.embeddings.patch_embedding",
                                  .class_token = "vision_model.embeddings.class_embedding",
                                  .positions = "vision_model.embeddings.position_embedding.weight",
                                  .batched = false};

struct ClipVisionConfig {
  PatchConfig patches;
  TransformerConfig transformer;
};

struct ClipTextConfig {
  TransformerConfig transformer;
  std::int64_t vocabulary = 49408;
  std::int64_t max_length = 77;
  std::int64_t eos = 49407;
};

// Of a tower's last width to the feature's; null where the pooled state is the feature.
using Projection = std::optional<Site>;

Projection projection(TowerKind tower, const TransformerConfig& config, std::string_view name,
                      std::optional<std::int64_t> width) {
  if (!width) return std::nullopt;
  return tower_site(tower, config.layers, SiteRole::linear, name, "projection");
}

at::Tensor project(const Projection& matrix, const at::Tensor& pooled, const Mode& mode) {
  return matrix ? apply_linear(*matrix, pooled, mode) : pooled;
}

class ClipVision final : public VisionTower {
 public:
  // `width` of the projection, where there is one.
  ClipVision(const ClipVisionConfig& clip, std::optional<std::int64_t> width, WeightReader& reader)
      : VisionTower(clip.transformer.layers, width.value_or(clip.transformer.width),
                    clip.patches.image_size, clip.patches.patch_size),
        embedding_(clip.patches, clip_patches, reader),
        pre_norm_(tower_site(TowerKind::image, -1, SiteRole::norm, "vision_model.pre_layrnorm",
                             "embeddings")),
        transformer_(TowerKind::image, clip.transformer,
                     clip_layer_names("vision_model.encoder.layers"), reader),
        post_norm_(tower_site(TowerKind::image, clip.transformer.layers, SiteRole::norm,
                              "vision_model.post_layernorm", "final")),
        projection_(projection(TowerKind::image, clip.transformer, "visual_projection", width)) {
    const std::int64_t w = clip.transformer.width;
    reader.bind_norm(pre_norm_, w);
    reader.bind_norm(post_norm_, w);
    if (projection_) reader.bind_linear(*projection_, *width, w, /*bias=*/false);
  }

  [[nodiscard]] Activations embed(const at::Tensor& pixels, const Mode& mode) const override {
    return {apply_norm(pre_norm_, embedding_.forward(pixels, mode), eps(), mode), {}, {}};
  }

  [[nodiscard]] at::Tensor feature_positions(const Activations& activations) const override {
    return class_token_positions(activations);
  }

  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    const at::Tensor pooled = apply_norm(post_norm_, output.states.select(1, 0), eps(), mode);
    const at::Tensor feature = project(projection_, pooled, mode);
    return {output.states, pooled, feature, feature};
  }

  void collect_below(std::vector<Site*>& sites) override {
    embedding_.collect(sites);
    sites.push_back(&pre_norm_);
    transformer_.collect(sites);
    sites.push_back(&post_norm_);
    if (projection_) sites.push_back(&*projection_);
  }

  [[nodiscard]] double eps() const { return transformer_.config().eps; }

  PatchEmbedding embedding_;
  Site pre_norm_;
  Transformer transformer_;
  Site post_norm_;
  Projection projection_;
};

class ClipText final : public TextTower {
 public:
  // `width` of the projection, where there is one.
  ClipText(const ClipTextConfig& config, std::optional<std::int64_t> width, WeightReader& reader)
      : TextTower(config.transformer.layers, width.value_or(config.transformer.width),
                  config.max_length, config.vocabulary),
        eos_(config.eos),
        embedding_("text_model.embeddings", "token_embedding", "position_embedding",
                   config.vocabulary, config.max_length, config.transformer.width, reader),
        transformer_(TowerKind::text, config.transformer,
                     clip_layer_names("text_model.encoder.layers"), reader),
        final_norm_(tower_site(TowerKind::text, config.transformer.layers, SiteRole::norm,
                               "text_model.final_layer_norm", "final")),
        projection_(projection(TowerKind::text, config.transformer, "text_projection", width)) {
    reader.bind_norm(final_norm_, config.transformer.width);
    if (projection_) {
      reader.bind_linear(*projection_, *width, config.transformer.width, /*bias=*/false);
    }
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
    return {embedding_.forward(batch, mode), batch.valid, ends.to(batch.ids.device())};
  }

  [[nodiscard]] at::Tensor feature_positions(const Activations& activations) const override {
    return activations.pooled;
  }

  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    const double eps = transformer_.config().eps;
    const at::Tensor last = apply_norm(final_norm_, output.states, eps, mode);
    const at::Tensor pooled = at_positions(last, output.pooled).squeeze(1);
    const at::Tensor feature = project(projection_, pooled, mode);
    return {last, pooled, feature, feature};
  }

  void collect_below(std::vector<Site*>& sites) override {
    embedding_.collect(sites);
    transformer_.collect(sites);
    sites.push_back(&final_norm_);
    if (projection_) sites.push_back(&*projection_);
  }

  static constexpr std::int64_t old_eos = 2;

  std::int64_t eos_;
  WordEmbedding embedding_;
  Transformer transformer_;
  Site final_norm_;
  Projection projection_;
};

ClipVisionConfig vision_config(const ConfigReader& config) {
  return {.patches = patch_config(
              config,
              {.width = 768, .channels = 3, .image_size = 224, .patch_size = 32, .bias = false}),
          .transformer = config.transformer(base_layers(1e-5), "quick_gelu")};
}

ClipTextConfig clip_text_config(const ConfigReader& config) {
  ClipTextConfig text;
  TransformerConfig defaults = base_layers(1e-5);
  defaults.width = 512;
  defaults.heads = 8;
  defaults.intermediate = 2048;
  defaults.causal = true;
  text.transformer = config.transformer(defaults, "quick_gelu");
  text.vocabulary = config.integer("vocab_size", text.vocabulary, 1, 1 << 22);
  text.max_length = config.integer("max_position_embeddings", text.max_length);
  text.eos = config.integer("eos_token_id", text.eos, 0, 1 << 22);
  return text;
}

// `text_config_dict` and its like in old files hold a whole section and win, as in CLIPConfig.
ConfigReader half_of(const ConfigReader& config, const std::string& key) {
  const std::string old = key + "_dict";
  return config.section(config.has(old.c_str()) ? old : key);
}

constexpr std::int64_t default_width = 512;

// The width of a half's projection, where its class or its weights have one.
std::optional<std::int64_t> projected_width(const FamilyInput& input, const char* weight) {
  const std::int64_t width = input.config.integer("projection_dim", default_width);
  const bool projected =
      input.config.architecture_ends_with("WithProjection") || input.reader.has(weight);
  return projected ? std::optional(width) : std::nullopt;
}

}  // namespace

std::unique_ptr<AdaptableEncoder> build_clip(const FamilyInput& input) {
  const ClipVisionConfig vision = vision_config(half_of(input.config, "vision_config"));
  const ClipTextConfig text = clip_text_config(half_of(input.config, "text_config"));
  const std::int64_t width = input.config.integer("projection_dim", default_width);
  input.problems.throw_if_any();

  input.reader.ignore(".position_ids");
  auto encoder =
      std::make_unique<AdaptableEncoder>(std::make_unique<ClipVision>(vision, width, input.reader),
                                         std::make_unique<ClipText>(text, width, input.reader));
  input.reader.bind("logit_scale", {}, encoder->log_logit_scale, std::nullopt);
  return encoder;
}

std::unique_ptr<AdaptableEncoder> build_clip_text(const FamilyInput& input) {
  const ClipTextConfig text = clip_text_config(input.config);
  input.reader.complete("text_model.");
  const auto width = projected_width(input, "text_projection.weight");
  input.problems.throw_if_any();

  input.reader.ignore(".position_ids");
  return std::make_unique<AdaptableEncoder>(nullptr,
                                            std::make_unique<ClipText>(text, width, input.reader));
}

std::unique_ptr<AdaptableEncoder> build_clip_vision(const FamilyInput& input) {
  const ClipVisionConfig vision = vision_config(input.config);
  input.reader.complete("vision_model.");
  const auto width = projected_width(input, "visual_projection.weight");
  input.problems.throw_if_any();

  input.reader.ignore(".position_ids");
  return std::make_unique<AdaptableEncoder>(
      std::make_unique<ClipVision>(vision, width, input.reader), nullptr);
}

}  // namespace espalier
