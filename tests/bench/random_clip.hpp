// A folder with CLIP ViT-B/16's shape and random weights.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <unistd.h>

#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace espalier::bench {

namespace fs = std::filesystem;

class RandomClip {
 public:
  static constexpr std::int64_t layers = 12, vision_width = 768, text_width = 512, feature = 512;

  RandomClip()
      : path_(fs::temp_directory_path() / ("espalier-bench-" + std::to_string(::getpid()))) {
    fs::create_directory(path_);
    write_file(path_ / "config.json",
               R"({"model_type": "clip", "vision_config": {"patch_size": 16}})");
    add("logit_scale", {});
    tower("vision_model", vision_width, {"pre_layrnorm", "post_layernorm"});
    tower("text_model", text_width, {"final_layer_norm"});
    add("vision_model.embeddings.class_embedding", {vision_width});
    add("vision_model.embeddings.patch_embedding.weight", {vision_width, 3, 16, 16});
    add("vision_model.embeddings.position_embedding.weight", {197, vision_width});
    add("text_model.embeddings.token_embedding.weight", {49408, text_width});
    add("text_model.embeddings.position_embedding.weight", {77, text_width});
    add("visual_projection.weight", {feature, vision_width});
    add("text_projection.weight", {feature, text_width});
    write_tensors(path_ / "model.safetensors", tensors_);
    tensors_.clear();
  }
  RandomClip(const RandomClip&) = delete;
  RandomClip& operator=(const RandomClip&) = delete;
  ~RandomClip() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  void add(const std::string& name, const std::vector<std::int64_t>& shape) {
    tensors_.emplace_back(name, at::randn(shape) * 0.02);
  }
  void linear(const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  }
  void norm(const std::string& name, std::int64_t width) {
    tensors_.emplace_back(name + ".weight", at::full({width}, 1.0));
    add(name + ".bias", {width});
  }
  void tower(const std::string& name, std::int64_t width, const std::vector<std::string>& norms) {
    for (const std::string& one : norms) norm(name + "." + one, width);
    for (std::int64_t i = 0; i < layers; ++i) {
      const std::string layer = name + ".encoder.layers." + std::to_string(i);
      for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
        linear(layer + ".self_attn." + part, width, width);
      }
      linear(layer + ".mlp.fc1", 4 * width, width);
      linear(layer + ".mlp.fc2", width, 4 * width);
      norm(layer + ".layer_norm1", width);
      norm(layer + ".layer_norm2", width);
    }
  }

  fs::path path_;
  std::vector<std::pair<std::string, at::Tensor>> tensors_;
};

// Made once, gone at the end of the program.
inline const fs::path& random_clip() {
  static const RandomClip folder;
  return folder.path();
}

}  // namespace espalier::bench
