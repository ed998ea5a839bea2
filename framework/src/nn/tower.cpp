#include <espalier/nn/tower.hpp>

#include <espalier/core/error.hpp>

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

Tower::~Tower() = default;

Activations Tower::run(Activations input, std::int64_t from, std::int64_t to) const {
  input.states = transformer().run(std::move(input.states), from, to, input.valid);
  return input;
}

Site Tower::feature_site(TowerKind kind, std::int64_t layers) {
  Site site;
  site.name = std::string(to_string(kind)) + "_features";
  site.role = SiteRole::feature;
  site.part = "feature";
  site.tower = kind;
  site.layer = layers;
  return site;
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

TowerOutput forward(const VisionTower& tower, const at::Tensor& pixels) {
  return tower.head(tower.run(tower.embed(pixels), 0, tower.layers()));
}

TowerOutput forward(const TextTower& tower, const TokenBatch& batch) {
  return tower.head(tower.run(tower.embed(batch), 0, tower.layers()));
}

}  // namespace espalier
