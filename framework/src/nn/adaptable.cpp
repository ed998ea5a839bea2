#include <espalier/nn/adaptable.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/schema.hpp>
#include <espalier/nn/unit_rows.hpp>

namespace espalier {
namespace {

// Renames the sites of a tower, and adds its weights under their new names.
void adopt_tower(Tower& tower, const std::vector<WeightSlot>& weights, const std::string& prefix,
                 std::vector<WeightSlot>& adopted) {
  std::vector<Site*> sites;
  tower.collect(sites);
  for (Site* site : sites) {
    if (site->role != SiteRole::feature) site->name = prefix + site->name;
  }
  for (WeightSlot weight : weights) {
    if (!weight.place || weight.place->tower != tower.kind()) continue;
    weight.name = prefix + weight.name;
    adopted.push_back(std::move(weight));
  }
}

}  // namespace

AdaptableEncoder::AdaptableEncoder(std::shared_ptr<VisionTower> image,
                                   std::shared_ptr<TextTower> text)
    : image_(std::move(image)), text_(std::move(text)) {
  ESPALIER_ASSERT(image_ || text_, "an encoder has a tower");
  if (image_) image_->collect(sites_);
  if (text_) text_->collect(sites_);
  add_behind_the_towers(classifier_, SiteRole::classifier, "class_vectors");
  add_behind_the_towers(logits_, SiteRole::logits, "logits");
}

void AdaptableEncoder::add_behind_the_towers(Site& site, SiteRole role, const char* name) {
  site.name = name;
  site.role = role;
  site.part = name;
  site.tower = text_ ? TowerKind::text : TowerKind::image;
  site.layer = (text_ ? text_->layers() : image_->layers()) + 2;
  sites_.push_back(&site);
}

std::unique_ptr<AdaptableEncoder> AdaptableEncoder::join(const AdaptableEncoder* image,
                                                         const AdaptableEncoder* text) {
  std::vector<WeightSlot> weights;
  if (image) adopt_tower(*image->image_, image->weights_, "vision_model.", weights);
  if (text) adopt_tower(*text->text_, text->weights_, "text_model.", weights);
  auto joined = std::make_unique<AdaptableEncoder>(image ? image->image_ : nullptr,
                                                   text ? text->text_ : nullptr);
  joined->adopt(std::move(weights));
  joined->family = image ? image->family : text->family;
  joined->source = image ? image->source : text->source;
  return joined;
}

std::unique_ptr<AdaptableEncoder> AdaptableEncoder::part(const EncoderUse& use) const {
  const bool texts = use.texts || use.classes;
  auto part =
      std::make_unique<AdaptableEncoder>(use.images ? image_ : nullptr, texts ? text_ : nullptr);
  if (!use.classes) part->sites_.resize(part->sites_.size() - 2);
  std::vector<WeightSlot> weights;
  for (const WeightSlot& weight : weights_) {
    const bool used =
        weight.place && (weight.place->tower == TowerKind::image ? use.images : texts);
    if (used) weights.push_back(weight);
  }
  part->adopt(std::move(weights));
  part->family = family;
  part->source = source;
  part->log_logit_scale = log_logit_scale;
  part->logit_bias = logit_bias;
  return part;
}

std::vector<Site*> AdaptableEncoder::sites(SiteRole role, std::string_view part) const {
  std::vector<Site*> found;
  for (Site* site : sites_) {
    if (site->role == role && (part.empty() || site->part == part)) found.push_back(site);
  }
  return found;
}

Site& AdaptableEncoder::site(std::string_view name) const {
  std::vector<std::string> known;
  for (Site* site : sites_) {
    if (site->name == name) return *site;
    known.push_back(site->name);
  }
  throw Error(
      {.what = "the encoder has no site \"" + std::string(name) + "\"",
       .where = {},
       .expected = "one of " + std::to_string(known.size()) + " sites, such as " + known.front(),
       .found = {},
       .fix = did_you_mean(name, known)});
}

void AdaptableEncoder::reset() {
  for (Site* site : sites_) {
    site->unhook();
  }
  for (const WeightSlot& weight : weights_) *weight.slot = weight.frozen;
}

std::int64_t AdaptableEncoder::cut(TowerKind kind) const {
  const Tower* tower = image_.get();
  if (kind == TowerKind::text) tower = text_.get();
  ESPALIER_ASSERT(tower != nullptr, "the encoder has no such tower");
  std::int64_t lowest = tower->layers() + 2;
  for (const Site* site : sites_) {
    if (site->tower == kind && site->hooked()) lowest = std::min(lowest, site->layer);
  }
  for (const WeightSlot& weight : weights_) {
    const bool trained = !weight.slot->is_same(weight.frozen) || weight.slot->requires_grad();
    if (trained && weight.place && weight.place->tower == kind) {
      lowest = std::min(lowest, weight.place->layer);
    }
  }
  return lowest;
}

at::Tensor AdaptableEncoder::classify(at::Tensor class_vectors, const Mode& mode) const {
  return classifier_.enter(std::move(class_vectors), mode);
}

at::Tensor AdaptableEncoder::score(const at::Tensor& features, at::Tensor logits,
                                   const Mode& mode) const {
  return logits_.leave(features, std::move(logits), mode);
}

at::Tensor AdaptableEncoder::logits(const at::Tensor& images, const at::Tensor& texts) const {
  ESPALIER_ASSERT(log_logit_scale.defined(), "the towers share no space");
  const at::Tensor cosines = at::matmul(unit_rows(images), unit_rows(texts).t());
  const at::Tensor scaled = cosines * log_logit_scale.exp();
  return logit_bias.defined() ? scaled + logit_bias : scaled;
}

}  // namespace espalier
