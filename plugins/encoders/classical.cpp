// Features without weights, an honest baseline. docs/classical.md.
#include <ATen/ops/zeros.h>

#include "encoders/classical/colour_pyramid.hpp"
#include "encoders/classical/hog.hpp"
#include "encoders/classical/word_features.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/image/resize.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/encoder.hpp>

namespace {

using espalier::Image;

struct ClassicalParams {
  std::int64_t size = 64;
  std::int64_t orientations = 9;
  std::int64_t cell = 8;
  std::int64_t levels = 3;
  double colour = 0.5;
  std::int64_t text_width = 1024;
  std::int64_t ngrams = 2;
};

void bind(espalier::Schema<ClassicalParams>& s) {
  s.field("size", &ClassicalParams::size)
      .range(32, 512)
      .only_if("has(trial, image)")
      .doc("Side in pixels of the square that a picture is cut to");
  s.field("orientations", &ClassicalParams::orientations)
      .range(2, 36)
      .only_if("has(trial, image)")
      .doc("Directions of gradients over 180 degrees")
      .source("Dalal and Triggs 2005");
  s.field("cell", &ClassicalParams::cell)
      .range(4, 16)
      .only_if("has(trial, image)")
      .doc("Side in pixels of a cell of gradients; blocks are 2 x 2 cells")
      .source("Dalal and Triggs 2005");
  s.field("levels", &ClassicalParams::levels)
      .range(1, 4)
      .only_if("has(trial, image)")
      .doc("Levels of the pyramid of colour histograms")
      .source("Lazebnik et al. 2006");
  s.field("colour", &ClassicalParams::colour)
      .range(0, 1)
      .only_if("has(trial, image)")
      .doc("Share of colour in the cosine of two pictures; gradients have the rest");
  s.field("text_width", &ClassicalParams::text_width)
      .range(64, 65536)
      .only_if("has(trial, text)")
      .doc("Columns that words are hashed into");
  s.field("ngrams", &ClassicalParams::ngrams)
      .range(1, 4)
      .only_if("has(trial, text)")
      .doc("Longest run of words that counts as a term");
}

// The middle square, scaled to `size`.
Image square(const Image& image, std::int64_t size) {
  const std::int64_t side = std::min(image.width, image.height);
  if (image.width == size && image.height == size) return image;
  const Image middle =
      espalier::crop(image, (image.width - side) / 2, (image.height - side) / 2, side, side);
  return espalier::resize(middle, size, size, espalier::Filter::bicubic);
}

// `part` with the length sqrt(share), or zeros where it has none.
float* append(std::vector<float> part, double share, float* to) {
  double length = 0;
  for (const float value : part) length += static_cast<double>(value) * value;
  const double scale = length > 0 ? std::sqrt(share / length) : 0;
  return std::transform(part.begin(), part.end(), to,
                        [&](float value) { return static_cast<float>(value * scale); });
}

class Classical final : public espalier::Encoder {
 public:
  using Params = ClassicalParams;

  Classical(const Params& params, const espalier::RunContext&)
      : params_(params),
        hog_{params.orientations, params.cell, 2},
        words_(params.text_width, params.ngrams) {}

  std::int64_t image_width() const override {
    return espalier::hog_width(params_.size, params_.size, hog_) +
           espalier::colour_pyramid_width(params_.levels);
  }
  std::int64_t text_width() const override { return words_.width(); }

  void fit(std::span<const std::string> training_texts) override { words_.fit(training_texts); }

  // The features already.
  at::Tensor pixels(const Image& image) const override {
    at::Tensor row = at::zeros({image_width()});
    const Image small = square(image, params_.size);
    float* const colours =
        append(espalier::hog(small, hog_), 1 - params_.colour, row.data_ptr<float>());
    append(espalier::colour_pyramid(small, params_.levels), params_.colour, colours);
    return row;
  }
  at::Tensor encode_pixels(const at::Tensor& pixels) const override { return pixels; }

  at::Tensor encode_texts(std::span<const std::string> texts) const override {
    at::Tensor rows = at::zeros({std::ssize(texts), text_width()});
    float* to = rows.data_ptr<float>();
    for (const std::string& text : texts) {
      const std::vector<float> row = words_.transform(text);
      to = std::copy(row.begin(), row.end(), to);
    }
    return rows;
  }

 private:
  Params params_;
  espalier::HogOptions hog_;
  espalier::WordFeatures words_;
};

}  // namespace

ESPALIER_COMPONENT(encoder, "classical", 1, Classical,
                   "Colours, gradients and words without any trained weights", "image text fitted")
