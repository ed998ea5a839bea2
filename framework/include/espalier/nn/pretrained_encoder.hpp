// An encoder component around a model folder: what the plugins of all families are.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/core/schema.hpp>
#include <espalier/data/tokenizer.hpp>
#include <espalier/data/transform.hpp>
#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/context.hpp>
#include <espalier/plugin/encoder.hpp>
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

// Pictures go through the folder's preprocessor_config.json, texts through its tokenizer. What is
// wrong with either is said when it is needed first, so that a folder without a tokenizer still
// encodes pictures.
class PretrainedEncoder : public Encoder {
 public:
  using Params = PretrainedParams;

  // `families` are the model types that the folder may be of.
  PretrainedEncoder(const std::vector<std::string>& families, const Params& params,
                    const RunContext& context);
  ~PretrainedEncoder() override;

  [[nodiscard]] std::int64_t image_width() const override;
  [[nodiscard]] std::int64_t text_width() const override;
  [[nodiscard]] at::Tensor encode_images(std::span<const Image> images) const override;
  [[nodiscard]] at::Tensor encode_texts(std::span<const std::string> texts) const override;
  [[nodiscard]] double logit_scale() const override;
  [[nodiscard]] AdaptableEncoder* adaptable() override { return model_.get(); }

 private:
  // A part of the folder, or why there is none.
  template <class T>
  struct Part {
    std::optional<T> value;
    std::vector<Problem> problems;
    [[nodiscard]] const T& get() const;
  };

  std::unique_ptr<AdaptableEncoder> model_;
  Part<ImageTransform> transform_;
  Part<Tokenizer> tokenizer_;
};

// float32 [n, 3, height, width] of pictures of any size, on the CPU.
[[nodiscard]] at::Tensor pixel_values(const ImageTransform& transform,
                                      std::span<const Image> images);

}  // namespace espalier
