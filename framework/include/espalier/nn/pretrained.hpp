// Models from folders as Hugging Face publishes them.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <espalier/nn/adaptable.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// `cpu`, `cuda`, `cuda:1`, or `auto`: the first GPU where there is one. Throws Error where it is
// not there.
[[nodiscard]] at::Device device_of(std::string_view text);
// `float32`, `bfloat16`, `float16`, or `auto`: bfloat16 where the device multiplies it natively
// (GPUs from compute capability 8.0, CPUs with AVX-512 BF16 or AMX), else float32. Throws Error
// where the device has no kernels for it.
[[nodiscard]] at::ScalarType precision_of(std::string_view text, at::Device device);

struct PretrainedOptions {
  std::vector<std::string> families;  // the `model_type`s that will do; empty: any
  std::string device = "cpu";
  std::string precision = "float32";
};

// Families: clip and its halves clip_text_model and clip_vision_model, siglip, vit, dinov2, bert,
// distilbert, mpnet. Throws Error with all problems of config.json, or with all problems of the
// weights, and either way with those of modules.json, which may name a folder inside this one.
[[nodiscard]] std::unique_ptr<AdaptableEncoder> load_pretrained(
    const std::filesystem::path& folder, const PretrainedOptions& options = {});

}  // namespace espalier
