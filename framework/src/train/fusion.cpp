#include "train/fusion.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "train/cross_attention.hpp"
#include <espalier/core/error.hpp>
#include <espalier/nn/unit_rows.hpp>

namespace espalier {
namespace {

// The rows with columns of zeros before and after them.
at::Tensor between(const at::Tensor& x, std::int64_t before, std::int64_t after) {
  return at::cat(
      {at::zeros({x.size(0), before}, x.options()), x, at::zeros({x.size(0), after}, x.options())},
      1);
}

// Features of both modalities, each row of length 1 where nodes.normalize says so.
class Ready {
 public:
  Ready(bool normalize, const FeatureWidths& widths) : normalize_(normalize), widths_(widths) {}

  [[nodiscard]] at::Tensor images(const Values& values) const { return ready(values.images); }
  [[nodiscard]] at::Tensor texts(const Values& values) const { return ready(values.texts); }
  [[nodiscard]] at::Tensor classes(const Values& values) const { return ready(values.classes); }
  [[nodiscard]] const FeatureWidths& widths() const { return widths_; }

 private:
  [[nodiscard]] at::Tensor ready(const at::Tensor& x) const {
    return normalize_ ? unit_rows(x) : x;
  }

  bool normalize_;
  FeatureWidths widths_;
};

class OfFeatures : public Fusion {
 public:
  explicit OfFeatures(const Ready& ready) : ready_(ready) {}
  at::Tensor of_classes(const Values& values) const override {
    ESPALIER_ASSERT(values.classes.size(1) == width(), "classes are as wide as nodes");
    return ready_.classes(values);
  }

 protected:
  Ready ready_;
};

class ImageNodes final : public OfFeatures {
 public:
  using OfFeatures::OfFeatures;
  std::int64_t width() const override { return ready_.widths().images; }
  Nodes operator()(const Values& values) const override { return {.x = ready_.images(values)}; }
  at::Tensor others(const Values& values) const override { return ready_.texts(values); }
};

class TextNodes final : public OfFeatures {
 public:
  using OfFeatures::OfFeatures;
  std::int64_t width() const override { return ready_.widths().texts; }
  Nodes operator()(const Values& values) const override { return {.x = ready_.texts(values)}; }
  at::Tensor others(const Values& values) const override { return ready_.images(values); }
};

class Mean final : public OfFeatures {
 public:
  explicit Mean(const Ready& ready) : OfFeatures(ready) {
    const auto [images, texts] = ready.widths();
    if (images == texts) return;
    throw Error({.what = "nodes.fuse: mean needs image and text features of one width",
                 .where = {},
                 .expected = "equal widths",
                 .found = std::to_string(images) + " and " + std::to_string(texts),
                 .fix = "use concat or bimodal, or an encoder with a shared space"});
  }
  std::int64_t width() const override { return ready_.widths().images; }
  Nodes operator()(const Values& values) const override {
    return {.x = (ready_.images(values) + ready_.texts(values)) / 2};
  }
  at::Tensor others(const Values& values) const override { return ready_.texts(values); }
};

class Concat final : public OfFeatures {
 public:
  using OfFeatures::OfFeatures;
  std::int64_t width() const override { return ready_.widths().images + ready_.widths().texts; }
  Nodes operator()(const Values& values) const override {
    return {.x = at::cat({ready_.images(values), ready_.texts(values)}, 1)};
  }
  at::Tensor others(const Values& values) const override { return ready_.texts(values); }
};

// The image's features, the text's, or both, each with what it attends to in the other.
class Attended final : public OfFeatures {
 public:
  Attended(const Ready& ready, const NodesParams& params)
      : OfFeatures(ready),
        image_(params.attend != "text"),
        text_(params.attend != "image"),
        to_text_({params.tokens, params.token_width, params.heads}),
        to_image_({params.tokens, params.token_width, params.heads}) {}

  std::int64_t width() const override {
    const auto [images, texts] = ready_.widths();
    return (image_ ? images : 0) + (text_ ? texts : 0);
  }
  void init(Parameters& parameters, Random& random) override {
    const auto [images, texts] = ready_.widths();
    if (image_) to_text_.init("image", images, texts, parameters, random);
    if (text_) to_image_.init("text", texts, images, parameters, random);
  }
  Nodes operator()(const Values& values) const override {
    const at::Tensor image = ready_.images(values), text = ready_.texts(values);
    return joined(image_ ? to_text_(image, text) : at::Tensor(),
                  text_ ? to_image_(text, image) : at::Tensor());
  }
  Nodes at_start(const Values& values) const override {
    return joined(image_ ? ready_.images(values) : at::Tensor(),
                  text_ ? ready_.texts(values) : at::Tensor());
  }
  at::Tensor others(const Values& values) const override {
    return image_ ? ready_.texts(values) : ready_.images(values);
  }

 private:
  static Nodes joined(const at::Tensor& image, const at::Tensor& text) {
    if (!image.defined()) return {.x = text};
    return {.x = text.defined() ? at::cat({image, text}, 1) : image};
  }

  bool image_;
  bool text_;
  CrossAttention to_text_;
  CrossAttention to_image_;
};

class Bimodal final : public OfFeatures {
 public:
  Bimodal(const Ready& ready, bool shared_space, std::string predict)
      : OfFeatures(ready), shared_(shared_space), predict_(std::move(predict)) {}
  std::int64_t width() const override {
    const auto [images, texts] = ready_.widths();
    return shared_ ? images : images + texts;
  }
  std::int64_t views() const override { return 2; }
  Nodes operator()(const Values& values) const override {
    return {.x = at::cat({image_nodes(values), text_nodes(values)}), .views = 2};
  }
  at::Tensor others(const Values& values) const override {
    return at::cat({text_nodes(values), image_nodes(values)});
  }
  at::Tensor of_samples(const at::Tensor& states) const override {
    const at::Tensor nodes = states.view({2, -1, states.size(1)});
    if (predict_ == "both") return nodes.mean(0);
    return nodes.select(0, predict_ == "image" ? 0 : 1);
  }

 private:
  [[nodiscard]] at::Tensor image_nodes(const Values& values) const {
    const at::Tensor x = ready_.images(values);
    return shared_ ? x : between(x, 0, ready_.widths().texts);
  }
  [[nodiscard]] at::Tensor text_nodes(const Values& values) const {
    const at::Tensor x = ready_.texts(values);
    return shared_ ? x : between(x, ready_.widths().images, 0);
  }

  bool shared_;
  std::string predict_;
};

}  // namespace

std::unique_ptr<Fusion> make_fusion(const NodesParams& params, const FeatureWidths& widths,
                                    bool shared_space) {
  const Ready ready(params.normalize, widths);
  if (params.fuse == "image") return std::make_unique<ImageNodes>(ready);
  if (params.fuse == "text") return std::make_unique<TextNodes>(ready);
  if (params.fuse == "mean") return std::make_unique<Mean>(ready);
  if (params.fuse == "concat") return std::make_unique<Concat>(ready);
  if (params.fuse == "cross_attention") return std::make_unique<Attended>(ready, params);
  ESPALIER_ASSERT(params.fuse == "bimodal", "a fusion that the schema allows");
  return std::make_unique<Bimodal>(ready, shared_space, params.predict);
}

}  // namespace espalier
