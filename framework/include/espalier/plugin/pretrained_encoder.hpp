// An encoder component around a model folder: what the plugins of all families are.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/schema.hpp>
#include <espalier/image/transform.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/context.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/text/tokenizer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

struct PretrainedParams {
  ContentPath weights;
  std::string precision = "float32";
};
void bind(Schema<PretrainedParams>& s);

// Pictures go through the folder's image processor, texts, with the default prompt of a sentence
// encoder before them, through its tokenizer. Where the
// model loads, what is wrong with these two is said when one that is wrong is needed first, so that
// a folder without a tokenizer still encodes pictures. Where it does not, it is said beside that.
class PretrainedEncoder : public Encoder {
 public:
  using Params = PretrainedParams;

  // `families` are the model types that the folder may be of.
  PretrainedEncoder(const std::vector<std::string>& families, const Params& params,
                    const RunContext& context);
  ~PretrainedEncoder() override;

  [[nodiscard]] std::int64_t image_width() const override;
  [[nodiscard]] std::int64_t text_width() const override;
  [[nodiscard]] at::Tensor pixels(const Image& image) const override;
  // Of the size that the tower takes.
  [[nodiscard]] at::Tensor view(const Image& image, const ViewOptions& options,
                                Random& random) const override;
  [[nodiscard]] at::Tensor encode_pixels(const at::Tensor& pixels) const override;
  [[nodiscard]] at::Tensor encode_texts(std::span<const std::string> texts) const override;
  [[nodiscard]] TokenLists tokens(std::span<const std::string> texts) const override;
  // Type and device that it computes in.
  [[nodiscard]] Json settings() const override { return settings_; }
  [[nodiscard]] double logit_scale() const override;
  [[nodiscard]] AdaptableEncoder* adaptable() override { return model_.get(); }

 private:
  [[nodiscard]] const ImageTransform& transform() const;

  std::unique_ptr<AdaptableEncoder> model_;
  std::optional<ImageTransform> transform_;
  std::optional<Tokenizer> tokenizer_;
  std::string prompt_;
  std::vector<Problem> problems_;  // why one of the two is not there
  Json settings_;
};

// float32 [3, height, width] of a picture of any size, on the CPU.
[[nodiscard]] at::Tensor pixel_values(const ImageTransform& transform, const Image& image);

}  // namespace espalier
