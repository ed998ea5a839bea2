// One builder a family. Each binds every weight in `reader`; pretrained.cpp calls its finish().
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/nn/adaptable.hpp>
#include <filesystem>
#include <memory>

#include "config_internal.hpp"

namespace espalier {

struct FamilyInput {
  const ConfigReader& config;    // config.json
  std::filesystem::path folder;  // of the model, for what else a family reads
  WeightReader& reader;
  Problems& problems;  // of sizes and kinds: a builder throws them before it binds anything
  Problems& others;    // of what changes no weight: thrown with those of the weights
};

[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_clip(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_siglip(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_vit(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_dinov2(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_bert(const FamilyInput& input);
[[nodiscard]] std::unique_ptr<AdaptableEncoder> build_mpnet(const FamilyInput& input);

}  // namespace espalier
