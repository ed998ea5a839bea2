#include <espalier/nn/tower.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <utility>

namespace espalier {
namespace {

Problem bad_tokens(std::string what, std::string expected, std::string found) {
  return {.what = std::move(what),
          .where = "token ids",
          .expected = std::move(expected),
          .found = std::move(found),
          .fix = "use the tokenizer files that came with the model, and truncate"};
}

}  // namespace

Tower::Tower(TowerKind kind, std::int64_t layers, std::int64_t feature_width)
    : kind_(kind), layers_(layers), feature_width_(feature_width) {
  feature_.name = std::string(to_string(kind)) + "_features";
  feature_.role = SiteRole::feature;
  feature_.part = "feature";
  feature_.tower = kind;
  feature_.layer = layers + 1;
}

Tower::~Tower() = default;

Activations Tower::run(Activations input, std::int64_t from, std::int64_t to,
                       const Mode& mode) const {
  input.states = run_layers(input, from, to, mode, {});
  return input;
}

at::Tensor Tower::run_layers(const Activations& input, std::int64_t from, std::int64_t to,
                             const Mode& mode, const at::Tensor& positions) const {
  return transformer().run(input.states, from, to, mode, input.valid, {}, positions);
}

const Transformer& Tower::transformer() const {
  assertion_failed("transformer()", "a tower without one is not asked for it", __FILE__, __LINE__);
}

at::Tensor Tower::feature_positions(const Activations&) const { return {}; }

Activations Tower::head_input(const Activations& output) const {
  return run_to_head(output, layers_, {});
}

Activations Tower::run_to_head(const Activations& input, std::int64_t from,
                               const Mode& mode) const {
  const at::Tensor positions = feature_positions(input);
  if (!positions.defined()) return run(input, from, layers_, mode);
  at::Tensor states = run_layers(input, from, layers_, mode, positions);
  return {
      std::move(states), {}, input.pooled.defined() ? at::zeros_like(input.pooled) : at::Tensor()};
}

TowerOutput Tower::head(const Activations& output, const Mode& mode) const {
  TowerOutput out = pool(output, mode);
  out.feature = feature_.enter(std::move(out.feature), mode);
  return out;
}

Activations Tower::advance(Activations entering, std::int64_t from, std::int64_t to,
                           const Mode& mode) const {
  ESPALIER_ASSERT(-1 <= from && from <= to && to <= layers_ + 2, "a cut of this tower");
  Activations h = std::move(entering);
  if (from == -1 && to > -1) h = embed_input(h, mode);
  const std::int64_t first = std::max<std::int64_t>(from, 0), last = std::min(to, layers_);
  if (from < layers_ && to >= layers_) {
    h = run_to_head(h, first, mode);
  } else if (first < last) {
    h = run(std::move(h), first, last, mode);
  }
  if (from <= layers_ && to > layers_) h = {pool(h, mode).feature, {}, {}};
  if (from <= layers_ + 1 && to == layers_ + 2) h.states = feature_.enter(h.states, mode);
  return h;
}

void Tower::collect(std::vector<Site*>& sites) {
  collect_below(sites);
  sites.push_back(&feature_);
}

Activations VisionTower::embed_input(const Activations& input, const Mode& mode) const {
  return embed(input.states, mode);
}

Activations TextTower::embed_input(const Activations& input, const Mode& mode) const {
  return embed({.ids = input.states, .valid = input.valid, .types = {}}, mode);
}

void TextTower::check(const TokenBatch& batch) const {
  if (batch.ids.dim() != 2 || batch.ids.size(1) == 0) {
    throw Error(bad_tokens("token ids are no batch of texts", "[texts, length]",
                           std::to_string(batch.ids.dim()) + " dimensions"));
  }
  if (batch.ids.size(1) > max_length_) {
    throw Error(bad_tokens("a text is longer than the model's positions",
                           "at most " + std::to_string(max_length_) + " tokens",
                           std::to_string(batch.ids.size(1))));
  }
  if (batch.ids.numel() == 0) return;
  const auto low = batch.ids.min().item<std::int64_t>();
  const auto high = batch.ids.max().item<std::int64_t>();
  if (low < 0 || high >= vocabulary_) {
    throw Error(bad_tokens("a token id is outside the vocabulary",
                           "0 to " + std::to_string(vocabulary_ - 1),
                           std::to_string(low < 0 ? low : high)));
  }
}

TokenBatch token_batch(const TextTower& tower, std::span<const std::vector<std::int64_t>> texts,
                       std::int64_t length) {
  for (const auto& text : texts) length = std::max(length, std::ssize(text));
  if (tower.batching() == TextBatching::full_length) length = tower.max_length();
  TokenBatch batch{.ids = at::full({std::ssize(texts), length}, tower.padding_id(), at::kLong),
                   .valid = {},
                   .types = {}};
  std::vector<std::int64_t> lengths;
  auto* row = batch.ids.data_ptr<std::int64_t>();
  for (const auto& text : texts) {
    std::copy(text.begin(), text.end(), row);
    lengths.push_back(std::ssize(text));
    row += length;
  }
  if (tower.batching() != TextBatching::equal_length) return batch;
  const at::Tensor places = at::arange(length, at::kLong).unsqueeze(0);
  batch.valid = places < at::tensor(lengths, at::kLong).unsqueeze(1);
  return batch;
}

TowerOutput forward(const VisionTower& tower, const at::Tensor& pixels, const Mode& mode) {
  return tower.head(tower.run(tower.embed(pixels, mode), 0, tower.layers(), mode), mode);
}

TowerOutput forward(const TextTower& tower, const TokenBatch& batch, const Mode& mode) {
  return tower.head(tower.run(tower.embed(batch, mode), 0, tower.layers(), mode), mode);
}

}  // namespace espalier
