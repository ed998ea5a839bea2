// A pretrained model as PEFT methods see it: towers, and named sites in them.
//
// A method asks for sites by role and part, whatever the family:
//   LoRA, VeRA      output hook on linear sites q, k, v, ...; DoRA reads site.weight as well
//   (IA)^3          output hook on k and v, input hook on fc2
//   BitFit, LN      replaces site.bias, site.weight by parameters of its own
//   SSF             output hook on linear and norm sites
//   Houlsby, Pfeiffer, AdaptFormer    output hook on branch sites
//   VPT, CoOp, MaPLe                  input hook on tokens sites
//   CLIP-Adapter    input hook on the feature site
//   TaskRes         input hook on the classifier site
//   Tip-Adapter, GDA, linear probes   output hook on the logits site
//   full fine-tuning replaces every weights() slot
// A site takes one hook at its input and one at its output; without one it costs nothing.
#pragma once

#include <cstdint>
#include <espalier/nn/site.hpp>
#include <espalier/nn/tower.hpp>
#include <espalier/nn/weights.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// What of an encoder somebody looks at: its towers, and class vectors and the scores by them at the
// classifier and logits sites.
struct EncoderUse {
  bool images = false;
  bool texts = false;
  bool classes = false;
};

class AdaptableEncoder {
 public:
  // Either tower may be null, not both.
  AdaptableEncoder(std::shared_ptr<VisionTower> image, std::shared_ptr<TextTower> text);
  // The image tower of one model and the text tower of another, shared with them; either may be
  // null, not both. Names of their sites and weights get the prefixes of Hugging Face's
  // VisionTextDualEncoderModel, `vision_model.` and `text_model.`, so that none collide; the sites
  // are the same objects, so they have these names in the two models as well.
  [[nodiscard]] static std::unique_ptr<AdaptableEncoder> join(const AdaptableEncoder* image,
                                                              const AdaptableEncoder* text);
  // Those of its towers, sites and weights that somebody looks at, shared with this, under their
  // names. A method that is attached to it touches nothing else.
  [[nodiscard]] std::unique_ptr<AdaptableEncoder> part(const EncoderUse& use) const;
  AdaptableEncoder(const AdaptableEncoder&) = delete;
  AdaptableEncoder& operator=(const AdaptableEncoder&) = delete;

  [[nodiscard]] const VisionTower* image() const noexcept { return image_.get(); }
  [[nodiscard]] const TextTower* text() const noexcept { return text_.get(); }

  // Image tower first, each from the bottom up, then the classifier and the logits.
  [[nodiscard]] const std::vector<Site*>& sites() const noexcept { return sites_; }
  // Those of one role, and of one part where it is given.
  [[nodiscard]] std::vector<Site*> sites(SiteRole role, std::string_view part = {}) const;
  // Throws Error that gives the nearest name.
  [[nodiscard]] Site& site(std::string_view name) const;
  // Every weight under its checkpoint name.
  [[nodiscard]] const std::vector<WeightSlot>& weights() const noexcept { return weights_; }

  // Takes off all hooks and puts all loaded weights back.
  void reset();
  // The lowest place of a tower that is hooked or trained, as tower.hpp counts them: what enters it
  // can be computed once. layers() + 2 where nothing is.
  [[nodiscard]] std::int64_t cut(TowerKind tower) const;

  // The class vectors [classes, w] as the classifier site leaves them.
  [[nodiscard]] at::Tensor classify(at::Tensor class_vectors, const Mode& mode) const;
  // Scores [n, classes] of features [n, w] as the logits site leaves them.
  [[nodiscard]] at::Tensor score(const at::Tensor& features, at::Tensor logits,
                                 const Mode& mode) const;
  // [images, texts] from features of one space: scale * cosine + bias.
  [[nodiscard]] at::Tensor logits(const at::Tensor& images, const at::Tensor& texts) const;

  // The `model_type` of its config.json; of two models that are joined, of the image tower's.
  std::string family;
  // The folder that it was loaded from, of two models that are joined the image tower's; empty:
  // none.
  std::string source;

  // Stored as a logarithm; undefined where the towers share no space.
  at::Tensor log_logit_scale;
  at::Tensor logit_bias;  // undefined: none

  // Told once by whoever loaded the weights.
  void adopt(std::vector<WeightSlot> weights) { weights_ = std::move(weights); }

 private:
  void add_behind_the_towers(Site& site, SiteRole role, const char* name);

  std::shared_ptr<VisionTower> image_;
  std::shared_ptr<TextTower> text_;
  Site classifier_;
  Site logits_;
  std::vector<Site*> sites_;
  std::vector<WeightSlot> weights_;
};

}  // namespace espalier
