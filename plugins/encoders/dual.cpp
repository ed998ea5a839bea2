// Two towers of different models, such as DINOv2 for pictures and BERT for texts.
#include <espalier/core/error.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/encoder.hpp>

namespace {

using espalier::ComponentRef;

struct DualParams {
  ComponentRef image{.use = "dinov2", .params = {}};
  ComponentRef text{.use = "bert", .params = {}};
};

void bind(espalier::Schema<DualParams>& s) {
  s.field("image", &DualParams::image)
      .kind("encoder")
      .only_for("image")
      .required()
      .doc("Encoder of pictures, such as {use: dinov2, weights: DIR}");
  s.field("text", &DualParams::text)
      .kind("encoder")
      .only_for("text")
      .required()
      .doc("Encoder of texts, such as {use: bert, weights: DIR}");
}

class Dual final : public espalier::Encoder {
 public:
  using Params = DualParams;

  Dual(const Params& params, const espalier::RunContext& context)
      : image_(context.make<espalier::Encoder>(params.image)),
        text_(context.make<espalier::Encoder>(params.text)) {
    require(image_->image_width() > 0, "image", params.image.use);
    require(text_->text_width() > 0, "text", params.text.use);
    const espalier::AdaptableEncoder* image = image_->adaptable();
    const espalier::AdaptableEncoder* text = text_->adaptable();
    if (image || text) joined_ = espalier::AdaptableEncoder::join(image, text);
  }

  [[nodiscard]] std::int64_t image_width() const override { return image_->image_width(); }
  [[nodiscard]] std::int64_t text_width() const override { return text_->text_width(); }

  void fit(std::span<const std::string> training_texts) override { text_->fit(training_texts); }

  [[nodiscard]] at::Tensor pixels(const espalier::Image& image) const override {
    return image_->pixels(image);
  }
  [[nodiscard]] at::Tensor view(const espalier::Image& image, const espalier::ViewOptions& options,
                                espalier::Random& random) const override {
    return image_->view(image, options, random);
  }
  [[nodiscard]] at::Tensor encode_pixels(const at::Tensor& pixels) const override {
    return image_->encode_pixels(pixels);
  }
  [[nodiscard]] at::Tensor encode_texts(std::span<const std::string> texts) const override {
    return text_->encode_texts(texts);
  }
  [[nodiscard]] espalier::TokenLists tokens(std::span<const std::string> texts) const override {
    return text_->tokens(texts);
  }
  // The side that has no sites stays frozen.
  [[nodiscard]] espalier::AdaptableEncoder* adaptable() override { return joined_.get(); }
  [[nodiscard]] espalier::Json settings() const override {
    return {{"image", image_->settings()}, {"text", text_->settings()}};
  }

 private:
  static void require(bool has_tower, const std::string& side, const std::string& name) {
    if (has_tower) return;
    throw espalier::Error({.what = "the " + side + " side of a dual encoder has no such tower",
                           .where = "encoder." + side,
                           .expected = "an encoder with the capability `" + side + "`",
                           .found = "encoder/" + name,
                           .fix = {}});
  }

  std::shared_ptr<espalier::Encoder> image_;
  std::shared_ptr<espalier::Encoder> text_;
  std::unique_ptr<espalier::AdaptableEncoder> joined_;
};

}  // namespace

ESPALIER_COMPONENT(encoder, "dual", 1, Dual, "An image tower and a text tower of different models",
                   "image text wraps:image:sites wraps:text:sites wraps:text:fitted")
