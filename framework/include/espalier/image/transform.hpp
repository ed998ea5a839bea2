// From a picture to the numbers that an image tower takes, as `preprocessor_config.json` says.
#pragma once

#include <array>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/image/image.hpp>
#include <espalier/image/resize.hpp>
#include <filesystem>
#include <string_view>
#include <vector>

namespace espalier {

// Resize, cut out the middle, multiply by `rescale`, subtract `mean`, divide by `std`.
struct Preprocessing {
  std::int64_t shortest_edge = 224;  // the longer side follows, rounded down; 0: width x height
  std::int64_t width = 0;
  std::int64_t height = 0;
  Filter filter = Filter::bicubic;
  PassOrder order = PassOrder::horizontal_first;
  std::int64_t crop_width = 224;  // 0: no crop
  std::int64_t crop_height = 224;
  double rescale = 1.0 / 255;
  std::array<double, 3> mean{0, 0, 0};
  std::array<double, 3> std{1, 1, 1};

  // What an image processor of the families CLIP, SigLIP, ViT, DeiT, BLIP and BiT (which DINOv2
  // uses) does with the file, its class's defaults filled in. A file that names no class has the
  // one that goes with config.json's `model_type`. Sizes may be numbers or pairs, as older files
  // have them. Throws Error with every setting that is wrong or not supported.
  static Preprocessing from_json(const Json& config, std::string_view origin,
                                 std::string_view model_type = {});
  // Of a model's folder: `image_processor` of processor_config.json, as Transformers 5 writes it,
  // else preprocessor_config.json.
  static Preprocessing from_folder(const std::filesystem::path& folder);
};

// Pictures of any size become pictures of width() x height().
class ImageTransform {
 public:
  explicit ImageTransform(const Preprocessing& preprocessing);

  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  [[nodiscard]] std::int64_t height() const noexcept { return height_; }
  // That pictures are scaled with.
  [[nodiscard]] Filter filter() const noexcept { return preprocessing_.filter; }
  // Floats of one picture, 3 * height() * width().
  [[nodiscard]] std::int64_t floats() const noexcept { return 3 * width_ * height_; }

  // Resized and cut, still 8 bits.
  [[nodiscard]] Image pixels(const Image& image) const;
  // Writes [3, height(), width()]. `image` has that size already, as pixels() or a view gives it.
  void normalize(const Image& image, float* to) const;
  // Both.
  void apply(const Image& image, float* to) const { normalize(pixels(image), to); }

 private:
  Preprocessing preprocessing_;
  std::int64_t width_;
  std::int64_t height_;
  std::array<std::array<float, 256>, 3> levels_;  // the result for every level of a channel
};

}  // namespace espalier
