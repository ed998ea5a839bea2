#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <espalier/dataset/prompts.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <sstream>

#include "toy_encoder_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

// A word is a token.
std::vector<std::int64_t> toy_tokens(const std::string& text) {
  std::vector<std::int64_t> ids = {toy_start};
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::int64_t sum = 0;
    for (const char c : word) sum += static_cast<unsigned char>(c);
    ids.push_back(toy_start + 1 + sum % (toy_end - toy_start - 1));
  }
  ids.push_back(toy_end);
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

Activations toy_input(TowerKind tower, const std::string& class_template) {
  if (tower == TowerKind::image) {
    Random random(std::uint64_t{8});
    return {normal_tensor({3, 3, toy_side, toy_side}, random), {}, {}};
  }
  std::vector<at::Tensor> rows;
  for (const auto& ids : toy_classes(class_template)) rows.push_back(at::tensor(ids, at::kLong));
  return {at::stack(rows), {}, {}};
}

Mode toy_mode(TowerKind tower, std::span<const std::int64_t> rows) {
  Mode mode;
  (tower == TowerKind::text ? mode.classes : mode.samples) = rows;
  return mode;
}

std::vector<const Tower*> towers_of(const AdaptableEncoder& encoder) {
  std::vector<const Tower*> towers;
  if (encoder.image() != nullptr) towers.push_back(encoder.image());
  if (encoder.text() != nullptr) towers.push_back(encoder.text());
  return towers;
}

at::Tensor all_said(const AdaptableEncoder& encoder, const ToyRows& features, const Mode& of_images,
                    const Mode& of_texts) {
  std::vector<at::Tensor> said;
  for (const auto& [tower, rows] : features) said.push_back(rows.flatten());
  if (!encoder.sites(SiteRole::logits).empty()) {
    const at::Tensor& images = features.at(TowerKind::image);
    const at::Tensor classes = encoder.classify(features.at(TowerKind::text), of_texts);
    said.push_back(classes.flatten());
    said.push_back(encoder.score(images, encoder.logits(images, classes), of_images).flatten());
  }
  return at::cat(said);
}

at::Tensor toy_features(const AdaptableEncoder& encoder, const std::string& class_template) {
  const std::int64_t numbers[] = {0, 1, 2};
  ToyRows features;
  for (const Tower* tower : towers_of(encoder)) {
    const Activations input = toy_input(tower->kind(), class_template);
    const auto rows = static_cast<std::size_t>(input.states.size(0));
    const Mode mode = toy_mode(tower->kind(), std::span(numbers).first(rows));
    features[tower->kind()] =
        tower->advance(input, -1, tower->layers() + 2, mode).states.to(at::kFloat);
  }
  return all_said(encoder, features, {}, {});
}

MethodInput toy_method_input(const AdaptableEncoder& clean, const std::string& class_template) {
  const Tower& tower = *towers_of(clean).back();
  const bool with_classes = !clean.sites(SiteRole::logits).empty();
  const c10::NoGradGuard no_grad;
  const at::Tensor classes =
      tower.advance(toy_input(tower.kind(), class_template), -1, tower.layers() + 2, {})
          .states.slice(0, 0, 2)
          .to(at::kFloat);
  Random random(std::uint64_t{21});
  const auto judged = [&](std::int64_t rows) {
    JudgedFeatures some;
    some.labels = at::arange(2, at::kLong).repeat_interleave(rows);
    const at::Tensor noise = normal_tensor({2 * rows, classes.size(1)}, random);
    some.features = classes.index_select(0, some.labels) + noise * classes.abs().mean() * 2;
    if (with_classes) some.logits = clean.logits(some.features, classes);
    return some;
  };
  MethodInput input;
  input.train = judged(6);
  input.views = 2;
  input.val = judged(20);
  if (!with_classes) return input;
  input.classes = unit_rows(classes);
  input.logit_scale = clean.log_logit_scale.exp().item<double>();
  for (const auto& ids : toy_classes(class_template)) input.class_tokens.push_back({ids});
  input.tokens = toy_tokens;
  return input;
}

}  // namespace espalier::conformance
