// Kind `dataset`: labelled images with class names and, where there are any, official splits.
//
// What the data is must follow from the parameters alone: everything read from disk is named by a
// ContentPath parameter, whose content enters the identity of a trial. All but pictures is read
// when the dataset is made: a worker keeps it for later trials, and looks at the files again only
// where something was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/image/image.hpp>
#include <espalier/plugin/wording.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

enum class Split { none, train, val, test };

[[nodiscard]] std::string_view to_string(Split split);

struct Sample {
  std::string id;             // stable and unique in the dataset, such as `images/rose_1.jpg`
  std::int64_t label = 0;     // index into Dataset::class_names()
  Split split = Split::none;  // none: Espalier splits, stratified and seeded
};

// Rows of numbers, one behind the other.
struct FeatureRows {
  std::span<const float> values;
  std::int64_t width = 0;  // 0: there are none

  [[nodiscard]] std::int64_t count() const {
    return width > 0 ? static_cast<std::int64_t>(values.size()) / width : 0;
  }
  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return values.subspan(index * static_cast<std::size_t>(width), static_cast<std::size_t>(width));
  }
};

// What somebody else's encoder made of samples and classes. All numbers are finite.
struct GivenFeatures {
  FeatureRows images;         // a row a sample
  FeatureRows texts;          // a row a sample, of its caption
  FeatureRows classes;        // a row a class, in the space of the samples
  bool shared_space = false;  // images and texts can be compared; then they are equally wide
  double logit_scale = 100;   // on cosines of samples and classes
};

// Const methods may be called from several threads at once.
//
// Capabilities: `attributes` (facts() says what is in a picture), `captions` (facts() has a text
// `caption`), `features` (features() takes the place of pictures, and image() throws Error).
class Dataset {
 public:
  using Interface = Dataset;
  static constexpr std::string_view kind = "dataset";

  virtual ~Dataset();

  [[nodiscard]] virtual const std::vector<std::string>& class_names() const = 0;
  // In an order that depends on the data alone.
  [[nodiscard]] virtual const std::vector<Sample>& samples() const = 0;
  // Throws Error that names the file when it cannot be decoded.
  [[nodiscard]] virtual Image image(std::size_t index) const = 0;
  // Lives as long as the dataset; null without `features`.
  [[nodiscard]] virtual const GivenFeatures* features() const;
  // True statements about the picture, an object, for captioners that can use them; null without.
  [[nodiscard]] virtual Json facts(std::size_t index) const;
  // How facts() are said in words; null where plain_wording() will do. Lives as long as the
  // dataset.
  [[nodiscard]] virtual const Wording* wording() const;
  // Sentences that are true of every picture of a class; empty where prompt templates with its name
  // are all there is to say.
  [[nodiscard]] virtual std::vector<std::string> class_texts(std::int64_t label) const;
};

}  // namespace espalier
