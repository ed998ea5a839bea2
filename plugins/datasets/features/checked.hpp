// From what a file says to what a dataset may promise.
#pragma once

#include <espalier/plugin/dataset.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "datasets/features/content.hpp"

namespace espalier::given {

struct Checked {
  std::vector<std::string> class_names;
  std::vector<Sample> samples;
  Texts captions;  // one a sample, or none
  GivenFeatures features;
  std::vector<std::shared_ptr<const void>> owners;  // of the rows
  std::vector<std::string> warnings;                // of what is left out
};

// Names that are missing are numbers: `7` for the eighth sample or class. Class features of another
// width than the samples' are left out. Throws Error with all that is wrong together: parts that
// are missing or do not fit each other, numbers that are not finite, ids that are there twice,
// labels out of range, classes without a sample to learn from, splits of some samples only, texts
// that are not UTF-8. With `apart` features of images and texts count as being of two spaces
// whatever their widths.
[[nodiscard]] Checked checked(const std::filesystem::path& file, Content content, bool apart);

}  // namespace espalier::given
