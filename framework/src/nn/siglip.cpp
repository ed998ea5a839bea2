// SigLIP (Zhai et al. 2023), as SiglipModel of Hugging Face has it.
#include <espalier/nn/attention.hpp>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>

#include "embedding_internal.hpp"
#include "families_internal.hpp"

namespace espalier {
namespace {

constexpr PatchNames siglip_patches{
    .embeddings = "vision_model.embeddings",
    .patch = "vision_model.embeddings.patch_embedding",
    .class_token = {},
    .positions = "vision_model.embeddings.position_embedding.weight",
    .batched = false};

// One learned query looks at all patches; an MLP with a residual follows.
class AttentionPool {
 public:
  AttentionPool(const TransformerConfig& config, WeightReader& reader)
      : config_(config),
        out_(site(SiteRole::linear, "attention.out_proj", "out")),
        norm_(site(SiteRole::norm, "layernorm", "head")),
        fc1_(site(SiteRole::linear, "mlp.fc1", "fc1")),
        fc2_(site(SiteRole::linear, "mlp.fc2", "fc2")) {
    const std::int64_t w = config.width;
    const WeightPlace place{TowerKind::image, config.layers};
    reader.bind("vision_model.head.probe", {1, 1, w}, probe_, place);
    reader.bind("vision_model.head.attention.in_proj_weight", {3 * w, w}, in_weight_, place);
    reader.bind("vision_model.head.attention.in_proj_bias", {3 * w}, in_bias_, place);
    reader.bind_linear(out_, w, w);
    reader.bind_norm(norm_, w);
    reader.bind_linear(fc1_, config.intermediate, w);
    reader.bind_linear(fc2_, w, config.intermediate);
  }

  // [n, l, w] to [n, w].
  [[nodiscard]] at::Tensor forward(const at::Tensor& h, const Mode& mode) const {
    const std::int64_t w = config_.width;
    const auto project = [&](const at::Tensor& x, std::int64_t part) {
      return at::linear(x, in_weight_.narrow(0, part * w, w), in_bias_.narrow(0, part * w, w));
    };
    const at::Tensor probe = probe_.expand({h.size(0), 1, w});
    const at::Tensor mixed =
        attention(project(probe, 0), project(h, 1), project(h, 2), config_.heads, {});
    const at::Tensor x = apply_linear(out_, mixed, mode).squeeze(1);
    const at::Tensor normed = apply_norm(norm_, x, config_.eps, mode);
    return x + apply_mlp(fc1_, fc2_, config_.activation, normed, mode);
  }

  void collect(std::vector<Site*>& sites) {
    for (Site* site : {&out_, &norm_, &fc1_, &fc2_}) sites.push_back(site);
  }

 private:
  [[nodiscard]] Site site(SiteRole role, const char* name, const char* part) const {
    return tower_site(TowerKind::image, config_.layers, role,
                      "vision_model.head." + std::string(name), part);
  }

  TransformerConfig config_;
  at::Tensor probe_, in_weight_, in_bias_;
  Site out_, norm_, fc1_, fc2_;
};

class SiglipVision final : public VisionTower {
 public:
  SiglipVision(const PatchConfig& patches, const TransformerConfig& config, WeightReader& reader)
      : VisionTower(config.layers, config.width, patches.image_size, patches.patch_size),
        embedding_(patches, siglip_patches, reader),
        transformer_(TowerKind::image, config, clip_layer_names("vision_model.encoder.layers"),
                     reader),
        final_norm_(tower_site(TowerKind::image, config.layers, SiteRole::norm,
                               "vision_model.post_layernorm", "final")),
        pool_(config, reader) {
    reader.bind_norm(final_norm_, config.width);
  }

  [[nodiscard]] Activations embed(const at::Tensor& pixels, const Mode& mode) const override {
    return {embedding_.forward(pixels, mode), {}, {}};
  }

  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    const at::Tensor last = apply_norm(final_norm_, output.states, transformer_.config().eps, mode);
    const at::Tensor pooled = pool_.forward(last, mode);
    return {last, pooled, pooled, pooled};
  }

  void collect_below(std::vector<Site*>& sites) override {
    embedding_.collect(sites);
    transformer_.collect(sites);
    sites.push_back(&final_norm_);
    pool_.collect(sites);
  }

  PatchEmbedding embedding_;
  Transformer transformer_;
  Site final_norm_;
  AttentionPool pool_;
};

struct SiglipTextConfig {
  TransformerConfig transformer;
  std::int64_t vocabulary = 32000;
  std::int64_t max_length = 64;
  std::int64_t padding = 1;
  std::int64_t width = 768;
};

// Pooled at the last position, whatever stands there: texts are padded to the full length.
class SiglipText final : public TextTower {
 public:
  SiglipText(const SiglipTextConfig& config, WeightReader& reader)
      : TextTower(config.transformer.layers, config.width, config.max_length, config.vocabulary),
        padding_(config.padding),
        embedding_("text_model.embeddings", "token_embedding", "position_embedding",
                   config.vocabulary, config.max_length, config.transformer.width, reader),
        transformer_(TowerKind::text, config.transformer,
                     clip_layer_names("text_model.encoder.layers"), reader),
        final_norm_(site(SiteRole::norm, "text_model.final_layer_norm", "final")),
        head_(site(SiteRole::linear, "text_model.head", "projection")) {
    reader.bind_norm(final_norm_, config.transformer.width);
    reader.bind_linear(head_, config.width, config.transformer.width);
  }

  [[nodiscard]] TextBatching batching() const override { return TextBatching::full_length; }
  [[nodiscard]] std::int64_t padding_id() const override { return padding_; }
  [[nodiscard]] std::int64_t pooled_position(std::span<const std::int64_t>) const override {
    return max_length() - 1;
  }

  [[nodiscard]] Activations embed(const TokenBatch& batch, const Mode& mode) const override {
    check(batch);
    return {embedding_.forward(batch, mode), batch.valid, {}};
  }

  [[nodiscard]] at::Tensor feature_positions(const Activations& activations) const override {
    const at::Tensor& states = activations.states;
    return at::full({states.size(0)}, states.size(1) - 1, states.options().dtype(at::kLong));
  }

  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override {
    const at::Tensor last = apply_norm(final_norm_, output.states, transformer_.config().eps, mode);
    const at::Tensor pooled = apply_linear(head_, last.select(1, last.size(1) - 1), mode);
    return {last, pooled, pooled, pooled};
  }

  void collect_below(std::vector<Site*>& sites) override {
    embedding_.collect(sites);
    transformer_.collect(sites);
    for (Site* site : {&final_norm_, &head_}) sites.push_back(site);
  }

  [[nodiscard]] Site site(SiteRole role, const char* name, const char* part) const {
    return tower_site(TowerKind::text, transformer_.config().layers, role, name, part);
  }

  std::int64_t padding_;
  WordEmbedding embedding_;
  Transformer transformer_;
  Site final_norm_, head_;
};

SiglipTextConfig siglip_text_config(const ConfigReader& config) {
  SiglipTextConfig text;
  text.transformer = config.transformer(base_layers(1e-6), "gelu_pytorch_tanh");
  text.vocabulary = config.integer("vocab_size", text.vocabulary, 1, 1 << 22);
  text.max_length = config.integer("max_position_embeddings", text.max_length);
  text.padding = config.integer("pad_token_id", text.padding, 0, 1 << 22);
  text.width = config.integer("projection_size", text.transformer.width);
  return text;
}

}  // namespace

std::unique_ptr<AdaptableEncoder> build_siglip(const FamilyInput& input) {
  const ConfigReader vision = input.config.section("vision_config");
  const PatchConfig patches = patch_config(vision, {});
  const TransformerConfig layers = vision.transformer(base_layers(1e-6), "gelu_pytorch_tanh");
  if (!vision.flag("vision_use_head", true)) {
    vision.fail("the image tower has no pooling head, so it gives no feature",
                "`vision_use_head`: true", "false");
  }
  const SiglipTextConfig text = siglip_text_config(input.config.section("text_config"));
  if (text.width != layers.width) {
    input.config.fail("the two towers' features differ in width",
                      "text `projection_size` " + std::to_string(layers.width),
                      std::to_string(text.width));
  }
  input.problems.throw_if_any();

  input.reader.ignore(".position_ids");
  auto encoder = std::make_unique<AdaptableEncoder>(
      std::make_unique<SiglipVision>(patches, layers, input.reader),
      std::make_unique<SiglipText>(text, input.reader));
  input.reader.bind("logit_scale", {}, encoder->log_logit_scale, std::nullopt);
  input.reader.bind("logit_bias", {}, encoder->logit_bias, std::nullopt);
  return encoder;
}

}  // namespace espalier
