// One builder a family. Each binds every weight in `reader`; pretrained.cpp calls its finish().
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/text/sentence_modules.hpp>
#include <memory>

#include "config_internal.hpp"

namespace espalier {

struct FamilyInput {
  const ConfigReader& config;      // config.json
  const SentenceModules& modules;  // of a text encoder
  WeightReader& reader;
  Problems& problems;  // of sizes and kinds: a builder throws them before it binds anything
};

// Of CLIPEncoderLayer and SiglipEncoderLayer.
constexpr LayerNames clip_layer_names(std::string_view prefix) {
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

[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_clip(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_clip_text(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_clip_vision(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_siglip(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_vit(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_dinov2(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_bert(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_distilbert(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_mpnet(const FamilyInput& input);

}  // namespace espalier
