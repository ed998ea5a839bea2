#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <unistd.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/dataset/prompts.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <filesystem>
#include <sstream>

#include "toy_encoder_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t tower_width = 16;
constexpr std::int64_t layers = 2;
constexpr std::int64_t inner = 32;
constexpr std::int64_t joint = 12;  // width of the space that both towers share
constexpr std::int64_t side = 16;
constexpr std::int64_t patch = 8;
constexpr std::int64_t vocabulary = 40;
constexpr std::int64_t longest = 24;
constexpr std::int64_t start_token = 1;
constexpr std::int64_t end_token = vocabulary - 1;

Json config() {
  const Json tower = {{"hidden_size", tower_width},
                      {"num_hidden_layers", layers},
                      {"num_attention_heads", 2},
                      {"intermediate_size", inner}};
  Json vision = tower;
  vision.update({{"image_size", side}, {"patch_size", patch}});
  Json text = tower;
  text.update({{"vocab_size", vocabulary},
               {"max_position_embeddings", longest},
               {"eos_token_id", end_token}});
  return {{"model_type", "clip"},
          {"projection_dim", joint},
          {"vision_config", vision},
          {"text_config", text}};
}

// Random tensors under the names of Hugging Face's CLIPModel.
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
    add(name + ".weight", {tower_width}, 1);
    add(name + ".bias", {tower_width});
  }
  void add_layers(const std::string& prefix) {
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::string name = prefix + ".encoder.layers." + std::to_string(layer) + ".";
      for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
        add_linear(name + "self_attn." + part, tower_width, tower_width);
      }
      add_linear(name + "mlp.fc1", inner, tower_width);
      add_linear(name + "mlp.fc2", tower_width, inner);
      add_norm(name + "layer_norm1");
      add_norm(name + "layer_norm2");
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

Weights weights() {
  constexpr std::int64_t places = (side / patch) * (side / patch) + 1;
  Weights all;
  all.add("logit_scale", {}, 2);
  all.add("vision_model.embeddings.class_embedding", {tower_width});
  all.add("vision_model.embeddings.patch_embedding.weight", {tower_width, 3, patch, patch});
  all.add("vision_model.embeddings.position_embedding.weight", {places, tower_width});
  all.add_norm("vision_model.pre_layrnorm");
  all.add_layers("vision_model");
  all.add_norm("vision_model.post_layernorm");
  all.add("visual_projection.weight", {joint, tower_width});
  all.add("text_model.embeddings.token_embedding.weight", {vocabulary, tower_width});
  all.add("text_model.embeddings.position_embedding.weight", {longest, tower_width});
  all.add_layers("text_model");
  all.add_norm("text_model.final_layer_norm");
  all.add("text_projection.weight", {joint, tower_width});
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

// A word is a token.
std::vector<std::int64_t> toy_tokens(const std::string& text) {
  std::vector<std::int64_t> ids = {start_token};
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::int64_t sum = 0;
    for (const char c : word) sum += static_cast<unsigned char>(c);
    ids.push_back(start_token + 1 + sum % (end_token - start_token - 1));
  }
  ids.push_back(end_token);
  return ids;
}

TokenLists toy_classes(const std::string& class_template) {
  if (class_template.empty()) return {{1, 5, 9, 39}, {1, 7, 3, 39}};
  const std::string names[] = {"rose", "tulip"};
  TokenLists all;
  for (const auto& texts : class_texts(names, std::span(&class_template, 1))) {
    all.push_back(toy_tokens(texts.at(0)));
  }
  return all;
}

}  // namespace

std::unique_ptr<AdaptableEncoder> toy_encoder() {
  const TemporaryFolder folder;
  write_file(folder.path() / "config.json", config().dump());
  weights().write(folder.path() / "model.safetensors");
  return load_pretrained(folder.path());
}

Activations toy_input(TowerKind tower, const std::string& class_template) {
  if (tower == TowerKind::image) {
    Random random(std::uint64_t{8});
    return {normal_tensor({3, 3, side, side}, random), {}, {}};
  }
  std::vector<at::Tensor> rows;
  for (const auto& ids : toy_classes(class_template)) rows.push_back(at::tensor(ids, at::kLong));
  return {at::stack(rows), {}, {}};
}

Mode toy_mode(TowerKind tower, std::span<const std::int64_t> rows) {
  Mode mode;
  if (tower == TowerKind::text) mode.classes = rows;
  return mode;
}

at::Tensor ToyFeatures::flat() const {
  return at::cat({images.flatten(), texts.flatten(), classes.flatten(), logits.flatten()});
}

ToyFeatures with_logits(const AdaptableEncoder& encoder, const at::Tensor& images,
                        const at::Tensor& texts, const Mode& of_images, const Mode& of_texts) {
  const at::Tensor classes = encoder.classify(texts, of_texts);
  const at::Tensor logits = encoder.logits(images, classes);
  return {images, texts, classes, encoder.score(images, logits, of_images)};
}

at::Tensor toy_features(const AdaptableEncoder& encoder, const std::string& class_template) {
  const std::int64_t classes[] = {0, 1};
  const auto feature = [&](const Tower& tower) {
    return tower
        .advance(toy_input(tower.kind(), class_template), -1, tower.layers() + 2,
                 toy_mode(tower.kind(), classes))
        .states;
  };
  return with_logits(encoder, feature(*encoder.image()), feature(*encoder.text()), {}, {}).flat();
}

MethodInput toy_method_input(const AdaptableEncoder& clean, const std::string& class_template) {
  const Tower& tower = *clean.text();
  const c10::NoGradGuard no_grad;
  const at::Tensor classes =
      tower.advance(toy_input(TowerKind::text, class_template), -1, tower.layers() + 2, {}).states;
  Random random(std::uint64_t{21});
  const auto judged = [&](std::int64_t rows) {
    JudgedFeatures some;
    some.labels = at::arange(2, at::kLong).repeat_interleave(rows);
    const at::Tensor noise = normal_tensor({2 * rows, classes.size(1)}, random);
    some.features = classes.index_select(0, some.labels) + noise * classes.abs().mean() * 2;
    some.logits = clean.logits(some.features, classes);
    return some;
  };
  MethodInput input;
  input.train = judged(6);
  input.views = 2;
  input.val = judged(20);
  input.classes = unit_rows(classes);
  input.logit_scale = clean.log_logit_scale.exp().item<double>();
  for (const auto& ids : toy_classes(class_template)) input.class_tokens.push_back({ids});
  input.tokens = toy_tokens;
  return input;
}

}  // namespace espalier::conformance
