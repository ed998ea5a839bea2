#include "caption_decoder_internal.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <numeric>
#include <string>

#include "embedding_internal.hpp"
#include "lone_rows_internal.hpp"

namespace espalier {
namespace {

constexpr const char* decoder_root = "text_decoder.bert.";
constexpr const char* scoring_root = "text_decoder.cls.predictions.";

at::Tensor int64_tensor(std::span<const std::int64_t> numbers, at::Device device) {
  return at::tensor(at::ArrayRef<std::int64_t>(numbers.data(), numbers.size()),
                    at::TensorOptions(at::kLong))
      .to(device);
}

bool in_order(std::span<const std::int64_t> order, std::size_t rows) {
  if (order.size() != rows) return false;
  for (std::size_t i = 0; i < rows; ++i) {
    if (order[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

// q [rows, heads, d] times the keys' map [heads * d, w]: what to look for in states themselves,
// [rows, heads, w]. The scores q (W e + b) are these times e, but for a number that softmax does
// not see; so the keys of a picture need not be made.
at::Tensor questions(const at::Tensor& q, const at::Tensor& weight) {
  const std::int64_t rows = q.size(0), count = q.size(1);
  const at::Tensor maps = weight.view({count, q.size(2), weight.size(1)});
  if (!q.device().is_cpu()) return at::bmm(q.transpose(0, 1), maps).transpose(0, 1);
  at::Tensor asked = at::empty({rows, count, weight.size(1)}, q.options());
  for_lone_rows(count, q.device(), 2 * weight.numel(), [&](std::int64_t head, std::int64_t) {
    lone_rows_mix_out(asked.select(1, head), q.select(1, head), maps[head]);
  });
  return asked;
}

// The values of what was seen, means [rows, heads, w] of states: [rows, heads * d].
at::Tensor answers(const at::Tensor& seen, const Site& value) {
  const std::int64_t rows = seen.size(0), count = seen.size(1), d = value.weight.size(0) / count;
  const at::Tensor maps = value.weight.view({count, d, value.weight.size(1)});
  if (!seen.device().is_cpu()) {
    const at::Tensor each = at::bmm(seen.transpose(0, 1), maps.transpose(1, 2));
    return each.transpose(0, 1).reshape({rows, count * d}) + value.bias;
  }
  at::Tensor found = at::empty({rows, count * d}, seen.options());
  for_lone_rows(count, seen.device(), 2 * value.weight.numel(),
                [&](std::int64_t head, std::int64_t) {
                  lone_rows_linear_out(found.narrow(1, head * d, d), seen.select(1, head),
                                       maps[head], value.bias.narrow(0, head * d, d));
                });
  return found;
}

}  // namespace

CaptionDecoder::CaptionDecoder(const CaptionDecoderConfig& config, WeightReader& reader)
    : config_(config) {
  const std::int64_t w = config.layers.width, inner = config.layers.intermediate;
  const std::string root = decoder_root, scoring = scoring_root;
  const auto site = [&](std::int64_t layer, SiteRole role, const std::string& name) {
    return tower_site(TowerKind::text, layer, role, name, "");
  };
  const WeightPlace place{TowerKind::text, -1};
  reader.bind(root + "embeddings.word_embeddings.weight", {config.vocabulary, w}, words_, place);
  reader.bind(root + "embeddings.position_embeddings.weight", {config.positions, w}, positions_,
              place);
  embedding_norm_ = site(-1, SiteRole::norm, root + "embeddings.LayerNorm");
  reader.bind_norm(embedding_norm_, w);
  for (std::int64_t i = 0; i < config.layers.layers; ++i) {
    auto layer = std::make_unique<Layer>();
    const std::string own = root + "encoder.layer." + std::to_string(i) + ".";
    const auto linear = [&](Site& slot, const char* name, std::int64_t out, std::int64_t in) {
      slot = site(i, SiteRole::linear, own + name);
      reader.bind_linear(slot, out, in);
    };
    const auto norm = [&](Site& slot, const char* name) {
      slot = site(i, SiteRole::norm, own + name);
      reader.bind_norm(slot, w);
    };
    linear(layer->q, "attention.self.query", w, w);
    linear(layer->k, "attention.self.key", w, w);
    linear(layer->v, "attention.self.value", w, w);
    linear(layer->out, "attention.output.dense", w, w);
    norm(layer->norm1, "attention.output.LayerNorm");
    linear(layer->cross_q, "crossattention.self.query", w, w);
    linear(layer->cross_k, "crossattention.self.key", w, config.memory_width);
    linear(layer->cross_v, "crossattention.self.value", w, config.memory_width);
    linear(layer->cross_out, "crossattention.output.dense", w, w);
    norm(layer->cross_norm, "crossattention.output.LayerNorm");
    linear(layer->fc1, "intermediate.dense", inner, w);
    linear(layer->fc2, "output.dense", w, inner);
    norm(layer->norm2, "output.LayerNorm");
    layers_.push_back(std::move(layer));
  }
  transform_ = site(config.layers.layers, SiteRole::linear, scoring + "transform.dense");
  reader.bind_linear(transform_, w, w);
  transform_norm_ = site(config.layers.layers, SiteRole::norm, scoring + "transform.LayerNorm");
  reader.bind_norm(transform_norm_, w);
  reader.bind(scoring + "bias", {config.vocabulary}, bias_, std::nullopt);
  reader.ignore(scoring + "decoder.bias");
  if (!config.tied || reader.has(scoring + "decoder.weight")) {
    reader.bind(scoring + "decoder.weight", {config.vocabulary, w}, scoring_, std::nullopt);
  }
}

void CaptionDecoder::settle(std::string_view where) {
  if (!config_.tied || !scoring_.defined()) return;
  if (!at::equal(scoring_, words_)) {
    throw Error({.what = "the weights that score words are not the words' embeddings",
                 .where = std::string(where),
                 .expected = "equal tensors \"" + std::string(scoring_root) +
                             "decoder.weight\" "
                             "and \"" +
                             decoder_root +
                             "embeddings.word_embeddings.weight\", or "
                             "`tie_word_embeddings`: false in config.json",
                 .found = "tensors that differ",
                 .fix = {}});
  }
  scoring_ = at::Tensor();
}

CaptionDecoder::State::State(const CaptionDecoder& decoder, at::Tensor memory,
                             std::int64_t capacity)
    : memory_(std::move(memory)), picture_(static_cast<std::size_t>(memory_.size(0))) {
  std::iota(picture_.begin(), picture_.end(), 0);
  const TransformerConfig& sizes = decoder.config_.layers;
  for (std::int64_t i = 0; i < sizes.layers; ++i) {
    for (std::vector<at::Tensor>* list : {&keys_, &values_}) {
      list->push_back(at::empty({memory_.size(0), sizes.heads, capacity, sizes.width / sizes.heads},
                                memory_.options()));
    }
  }
}

void CaptionDecoder::State::reorder(std::span<const std::int64_t> order) {
  if (in_order(order, picture_.size())) return;
  const at::Tensor rows = int64_tensor(order, memory_.device());
  std::vector<std::int64_t> pictures;
  for (const std::int64_t row : order) pictures.push_back(picture_[static_cast<std::size_t>(row)]);
  picture_ = std::move(pictures);
  for (std::vector<at::Tensor>* list : {&keys_, &values_}) {
    for (at::Tensor& tensor : *list) tensor = tensor.index_select(0, rows);
  }
}

at::Tensor CaptionDecoder::join(const Site& norm, const at::Tensor& h, const at::Tensor& x) const {
  return at::layer_norm(h + x, {h.size(1)}, norm.weight, norm.bias, config_.layers.eps);
}

at::Tensor CaptionDecoder::activated(at::Tensor inner) const {
  for_lone_rows(inner.size(0), inner.device(), 0, [&](std::int64_t from, std::int64_t some) {
    const at::Tensor part = inner.narrow(0, from, some);
    part.copy_(activate(config_.layers.activation, part));
  });
  return inner;
}

at::Tensor CaptionDecoder::embed(std::span<const std::int64_t> tokens,
                                 std::int64_t position) const {
  const at::Tensor words = at::embedding(words_, int64_tensor(tokens, words_.device()));
  return join(embedding_norm_, words, positions_[position].expand_as(words));
}

at::Tensor CaptionDecoder::look_back(const Layer& layer, State& state, std::size_t index,
                                     const at::Tensor& h) const {
  const std::int64_t rows = h.size(0), count = config_.layers.heads, said = state.length_ + 1;
  const std::int64_t d = h.size(1) / count;
  const at::Tensor q = lone_rows_linear(h, layer.q.weight, layer.q.bias).view({rows, count, 1, d});
  const at::Tensor &keys = state.keys_[index], &values = state.values_[index];
  for (const auto& [site, cache] : {std::pair{&layer.k, &keys}, {&layer.v, &values}}) {
    cache->select(2, state.length_)
        .copy_(lone_rows_linear(h, site->weight, site->bias).view({rows, count, d}));
  }
  at::Tensor mixed = at::empty_like(h);
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  const std::int64_t work = 4 * said * h.size(1);
  for_lone_rows(rows, h.device(), work, [&](std::int64_t from, std::int64_t some) {
    const auto part = [&](const at::Tensor& x, std::int64_t length) {
      return x.narrow(0, from, some).narrow(2, 0, length).reshape({some * count, length, d});
    };
    const at::Tensor scores = at::bmm(part(q, 1) * scale, part(keys, said).transpose(1, 2));
    mixed.narrow(0, from, some)
        .copy_(at::bmm(at::softmax(scores, -1), part(values, said)).view({some, count * d}));
  });
  return join(layer.norm1, h, lone_rows_linear(mixed, layer.out.weight, layer.out.bias));
}

at::Tensor CaptionDecoder::look_at_picture(const Layer& layer, const State& state,
                                           const at::Tensor& h) const {
  const std::int64_t rows = h.size(0), count = config_.layers.heads, d = h.size(1) / count;
  const at::Tensor q = lone_rows_linear(h, layer.cross_q.weight, layer.cross_q.bias);
  const at::Tensor asked = questions(q.view({rows, count, d}), layer.cross_k.weight);
  const double scale = 1.0 / std::sqrt(static_cast<double>(d));
  at::Tensor seen = at::empty_like(asked);
  const std::int64_t work = 4 * count * state.memory_[0].numel();
  for_lone_rows(rows, h.device(), work, [&](std::int64_t from, std::int64_t some) {
    const std::span pictures(state.picture_.begin() + from, static_cast<std::size_t>(some));
    const at::Tensor memory =
        some == 1 ? state.memory_.narrow(0, pictures[0], 1)
                  : state.memory_.index_select(0, int64_tensor(pictures, h.device()));
    const at::Tensor scores = at::bmm(asked.narrow(0, from, some) * scale, memory.transpose(1, 2));
    seen.narrow(0, from, some).copy_(at::bmm(at::softmax(scores, -1), memory));
  });
  const at::Tensor mixed = answers(seen, layer.cross_v);
  return join(layer.cross_norm, h,
              lone_rows_linear(mixed, layer.cross_out.weight, layer.cross_out.bias));
}

at::Tensor CaptionDecoder::think(const Layer& layer, const at::Tensor& h) const {
  const at::Tensor inner = activated(lone_rows_linear(h, layer.fc1.weight, layer.fc1.bias));
  return join(layer.norm2, h, lone_rows_linear(inner, layer.fc2.weight, layer.fc2.bias));
}

at::Tensor CaptionDecoder::scores(const at::Tensor& h) const {
  const at::Tensor inner = activated(lone_rows_linear(h, transform_.weight, transform_.bias));
  const at::Tensor normed = at::layer_norm(inner, {inner.size(1)}, transform_norm_.weight,
                                           transform_norm_.bias, config_.layers.eps);
  return lone_rows_linear(normed, scoring_.defined() ? scoring_ : words_, bias_)
      .to(at::kCPU, at::kFloat);
}

at::Tensor CaptionDecoder::step(State& state, std::span<const std::int64_t> tokens,
                                std::span<const std::int64_t> order, const Watch& watch) const {
  state.reorder(order);
  ESPALIER_ASSERT(tokens.size() == state.picture_.size() &&
                      state.length_ < state.keys_.front().size(2) &&
                      state.length_ < config_.positions,
                  "a token for every row, and room for it");
  at::Tensor h = embed(tokens, state.length_);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (watch) watch(static_cast<std::int64_t>(i), h);
    h = look_back(*layers_[i], state, i, h);
    h = think(*layers_[i], look_at_picture(*layers_[i], state, h));
  }
  if (watch) watch(std::ssize(layers_), h);
  ++state.length_;
  return scores(h);
}

}  // namespace espalier
