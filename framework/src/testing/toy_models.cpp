#include <ATen/TensorOperators.h>
#include <unistd.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <filesystem>

#include "toy_models_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t layers = 2;
constexpr std::int64_t inner = 32;
constexpr std::int64_t joint = 12;  // width of the space that both towers share
constexpr std::int64_t patch = 8;
constexpr std::int64_t longest = 24;
constexpr std::int64_t places = (toy_side / patch) * (toy_side / patch) + 1;

const Json sizes = {{"hidden_size", toy_width},
                    {"num_hidden_layers", layers},
                    {"num_attention_heads", 2},
                    {"intermediate_size", inner}};

Json with(Json config, const Json& more) {
  config.update(more);
  return config;
}

// Random tensors under the names of Hugging Face's classes.
class Weights {
 public:
  void add(const std::string& name, const Shape& shape, double centre = 0) {
    tensors_.emplace_back(name, normal_tensor(shape, random_) * 0.2 + centre);
  }
  void add_linear(const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  }
  void add_norm(const std::string& name) {
    add(name + ".weight", {toy_width}, 1);
    add(name + ".bias", {toy_width});
  }
  // q, k, v, out, fc1, fc2 and both norms of each layer.
  void add_layers(const std::string& prefix, const std::array<const char*, 8>& parts) {
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::string name = prefix + std::to_string(layer) + ".";
      for (std::size_t i = 0; i < 4; ++i) add_linear(name + parts[i], toy_width, toy_width);
      add_linear(name + parts[4], inner, toy_width);
      add_linear(name + parts[5], toy_width, inner);
      add_norm(name + parts[6]);
      add_norm(name + parts[7]);
    }
  }

  void write(const fs::path& file) const {
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors_) {
      views.push_back({.name = name,
                       .dtype = DType::f32,
                       .shape = tensor.sizes().vec(),
                       .data = static_cast<const std::byte*>(tensor.data_ptr()),
                       .bytes = tensor.nbytes()});
    }
    write_safetensors(file, views);
  }

 private:
  Random random_{std::uint64_t{31}};
  std::vector<std::pair<std::string, at::Tensor>> tensors_;
};

constexpr std::array<const char*, 8> clip_parts = {
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
    "mlp.fc1",          "mlp.fc2",          "layer_norm1",      "layer_norm2"};

Json clip_config() {
  return {{"model_type", "clip"},
          {"projection_dim", joint},
          {"vision_config", with(sizes, {{"image_size", toy_side}, {"patch_size", patch}})},
          {"text_config", with(sizes, {{"vocab_size", toy_vocabulary},
                                       {"max_position_embeddings", longest},
                                       {"eos_token_id", toy_end}})}};
}

Weights clip_weights() {
  Weights all;
  all.add("logit_scale", {}, 2);
  all.add("vision_model.embeddings.class_embedding", {toy_width});
  all.add("vision_model.embeddings.patch_embedding.weight", {toy_width, 3, patch, patch});
  all.add("vision_model.embeddings.position_embedding.weight", {places, toy_width});
  all.add_norm("vision_model.pre_layrnorm");
  all.add_layers("vision_model.encoder.layers.", clip_parts);
  all.add_norm("vision_model.post_layernorm");
  all.add("visual_projection.weight", {joint, toy_width});
  all.add("text_model.embeddings.token_embedding.weight", {toy_vocabulary, toy_width});
  all.add("text_model.embeddings.position_embedding.weight", {longest, toy_width});
  all.add_layers("text_model.encoder.layers.", clip_parts);
  all.add_norm("text_model.final_layer_norm");
  all.add("text_projection.weight", {joint, toy_width});
  return all;
}

Json vit_config() {
  return with(sizes, {{"model_type", "vit"}, {"image_size", toy_side}, {"patch_size", patch}});
}

Weights vit_weights() {
  Weights all;
  all.add("embeddings.cls_token", {1, 1, toy_width});
  all.add("embeddings.position_embeddings", {1, places, toy_width});
  all.add("embeddings.patch_embeddings.projection.weight", {toy_width, 3, patch, patch});
  all.add("embeddings.patch_embeddings.projection.bias", {toy_width});
  all.add_layers("encoder.layer.",
                 {"attention.attention.query", "attention.attention.key",
                  "attention.attention.value", "attention.output.dense", "intermediate.dense",
                  "output.dense", "layernorm_before", "layernorm_after"});
  all.add_norm("layernorm");
  return all;
}

Json bert_config() {
  return with(sizes, {{"model_type", "bert"},
                      {"vocab_size", toy_vocabulary},
                      {"max_position_embeddings", longest},
                      {"type_vocab_size", 2}});
}

Weights bert_weights() {
  Weights all;
  all.add("embeddings.word_embeddings.weight", {toy_vocabulary, toy_width});
  all.add("embeddings.position_embeddings.weight", {longest, toy_width});
  all.add("embeddings.token_type_embeddings.weight", {2, toy_width});
  all.add_norm("embeddings.LayerNorm");
  all.add_layers("encoder.layer.",
                 {"attention.self.query", "attention.self.key", "attention.self.value",
                  "attention.output.dense", "intermediate.dense", "output.dense",
                  "attention.output.LayerNorm", "output.LayerNorm"});
  return all;
}

// Gone with its files as soon as they are mapped.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(fs::temp_directory_path() / ("espalier-toy-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

std::unique_ptr<AdaptableEncoder> loaded(const Json& config, const Weights& weights,
                                         const std::string& precision) {
  const TemporaryFolder folder;
  write_file(folder.path() / "config.json", config.dump());
  weights.write(folder.path() / "model.safetensors");
  return load_pretrained(folder.path(), {.families = {}, .precision = precision});
}

}  // namespace

std::string to_string(ToyFamily family) {
  switch (family) {
    case ToyFamily::clip:
      return "a CLIP";
    case ToyFamily::vit:
      return "a ViT";
    case ToyFamily::bert:
      return "a BERT";
    case ToyFamily::mlp:
      return "a perceptron";
  }
  return {};
}

std::unique_ptr<AdaptableEncoder> toy_encoder(ToyFamily family, const std::string& precision) {
  switch (family) {
    case ToyFamily::clip:
      return loaded(clip_config(), clip_weights(), precision);
    case ToyFamily::vit:
      return loaded(vit_config(), vit_weights(), precision)->part({.images = true});
    case ToyFamily::bert:
      return loaded(bert_config(), bert_weights(), precision)->part({.texts = true});
    case ToyFamily::mlp:
      return toy_perceptron();
  }
  return nullptr;
}

}  // namespace espalier::conformance
