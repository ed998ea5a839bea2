#include "model_folder.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <utility>
#include <vector>

namespace espalier::flora_clip {
namespace {

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

constexpr double first_log_scale = 2.6592;  // ln(1 / 0.07)

at::Tensor normal(at::IntArrayRef sizes, double deviation, Random& random) {
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    values[i] = static_cast<float>(deviation * random.normal());
  }
  return tensor;
}

void add_norm(const std::string& name, std::int64_t width, Tensors& tensors) {
  tensors.emplace_back(name + ".weight", at::ones({width}));
  tensors.emplace_back(name + ".bias", at::zeros({width}));
}

void add_linear(const std::string& name, std::int64_t out, std::int64_t in, double deviation,
                Random& random, Tensors& tensors) {
  tensors.emplace_back(name + ".weight", normal({out, in}, deviation, random));
  tensors.emplace_back(name + ".bias", at::zeros({out}));
}

void add_layers(const std::string& prefix, const TowerSize& size, Random& random,
                Tensors& tensors) {
  const double narrow = 1.0 / std::sqrt(static_cast<double>(size.width));
  const double residual = narrow / std::sqrt(2.0 * static_cast<double>(size.layers));
  for (std::int64_t i = 0; i < size.layers; ++i) {
    const std::string layer = prefix + ".encoder.layers." + std::to_string(i);
    for (const char* part : {"q_proj", "k_proj", "v_proj"}) {
      add_linear(layer + ".self_attn." + part, size.width, size.width, narrow, random, tensors);
    }
    add_linear(layer + ".self_attn.out_proj", size.width, size.width, residual, random, tensors);
    add_norm(layer + ".layer_norm1", size.width, tensors);
    add_norm(layer + ".layer_norm2", size.width, tensors);
    add_linear(layer + ".mlp.fc1", 4 * size.width, size.width, narrow / std::sqrt(2.0), random,
               tensors);
    add_linear(layer + ".mlp.fc2", size.width, 4 * size.width, residual, random, tensors);
  }
}

void add_vision(const ModelSize& size, Random& random, Tensors& tensors) {
  const std::int64_t width = size.vision.width;
  const double narrow = 1.0 / std::sqrt(static_cast<double>(width));
  const std::int64_t side = size.image / size.patch;
  const double fan_in = 3.0 * static_cast<double>(size.patch * size.patch);
  const std::string embeddings = "vision_model.embeddings.";
  tensors.emplace_back(embeddings + "class_embedding", normal({width}, narrow, random));
  tensors.emplace_back(embeddings + "patch_embedding.weight",
                       normal({width, 3, size.patch, size.patch}, 1.0 / std::sqrt(fan_in), random));
  tensors.emplace_back(embeddings + "position_embedding.weight",
                       normal({side * side + 1, width}, narrow, random));
  add_norm("vision_model.pre_layrnorm", width, tensors);
  add_layers("vision_model", size.vision, random, tensors);
  add_norm("vision_model.post_layernorm", width, tensors);
  tensors.emplace_back("visual_projection.weight",
                       normal({size.projection, width}, narrow, random));
}

void add_text(const ModelSize& size, Random& random, Tensors& tensors) {
  const std::int64_t width = size.text.width;
  const std::string embeddings = "text_model.embeddings.";
  tensors.emplace_back(embeddings + "token_embedding.weight",
                       normal({size.vocabulary, width}, 0.02, random));
  tensors.emplace_back(embeddings + "position_embedding.weight",
                       normal({size.max_length, width}, 0.01, random));
  add_layers("text_model", size.text, random, tensors);
  add_norm("text_model.final_layer_norm", width, tensors);
  tensors.emplace_back(
      "text_projection.weight",
      normal({size.projection, width}, 1.0 / std::sqrt(static_cast<double>(width)), random));
}

Json tower_config(const TowerSize& size, const char* type, std::int64_t projection) {
  return {{"model_type", type},
          {"hidden_size", size.width},
          {"intermediate_size", 4 * size.width},
          {"num_hidden_layers", size.layers},
          {"num_attention_heads", size.heads},
          {"hidden_act", "quick_gelu"},
          {"layer_norm_eps", 1e-5},
          {"attention_dropout", 0.0},
          {"projection_dim", projection}};
}

}  // namespace

void write_configuration(const ModelSize& size, const std::filesystem::path& folder) {
  Json text = tower_config(size.text, "clip_text_model", size.projection);
  text.update({{"vocab_size", size.vocabulary},
               {"max_position_embeddings", size.max_length},
               {"bos_token_id", size.start_id},
               {"eos_token_id", size.end_id},
               {"pad_token_id", size.end_id}});
  Json vision = tower_config(size.vision, "clip_vision_model", size.projection);
  vision.update({{"image_size", size.image}, {"patch_size", size.patch}, {"num_channels", 3}});
  const Json config{{"architectures", {"CLIPModel"}},
                    {"model_type", "clip"},
                    {"torch_dtype", "float16"},
                    {"projection_dim", size.projection},
                    {"logit_scale_init_value", first_log_scale},
                    {"text_config", text},
                    {"vision_config", vision}};
  const Json side{{"height", size.image}, {"width", size.image}};
  const Json pictures{{"image_processor_type", "CLIPImageProcessor"},
                      {"do_resize", true},
                      {"size", {{"shortest_edge", size.image}}},
                      {"resample", 3},
                      {"do_center_crop", true},
                      {"crop_size", side},
                      {"do_rescale", true},
                      {"rescale_factor", 1.0 / 255.0},
                      {"do_normalize", true},
                      {"image_mean", {0.5, 0.5, 0.5}},
                      {"image_std", {0.25, 0.25, 0.25}},
                      {"do_convert_rgb", true}};
  write_file(folder / "config.json", config.dump(2) + "\n");
  write_file(folder / "preprocessor_config.json", pictures.dump(2) + "\n");
}

void write_initial_weights(const ModelSize& size, Random& random,
                           const std::filesystem::path& folder) {
  Tensors tensors;
  tensors.emplace_back("logit_scale", at::full({}, first_log_scale, at::kFloat));
  add_vision(size, random, tensors);
  add_text(size, random, tensors);
  write_tensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

void write_trained_weights(const Parameters& parameters, const std::filesystem::path& folder) {
  Tensors tensors;
  for (const auto& [name, tensor] : parameters.entries()) {
    tensors.emplace_back(name, tensor.detach().to(at::kHalf));
  }
  write_tensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
}

}  // namespace espalier::flora_clip
