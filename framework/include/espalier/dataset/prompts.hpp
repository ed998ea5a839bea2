// What a text encoder is told about a class.
#pragma once

#include <espalier/core/error.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// For every class its texts. A class vector is the mean of their features, each of length 1,
// brought to length 1 again (Radford et al. 2021).
using ClassTexts = std::vector<std::vector<std::string>>;

// Published sets of templates: `simple` (a photo of a {}.), `oxford_pets`, `flowers102`, `food101`
// (CLIP's for these datasets, which CoOp and its successors use too) and `general` (the seven that
// CLIP's authors picked for ImageNet). Empty for any other name.
[[nodiscard]] std::vector<std::string> prompt_templates(std::string_view name);
[[nodiscard]] std::vector<std::string> prompt_template_names();

// Each template with each class name in the place of `{}`; `_` in names becomes a space. Throws
// Error with all templates that do not hold `{}` exactly once, and where there is none.
[[nodiscard]] ClassTexts class_texts(std::span<const std::string> class_names,
                                     std::span<const std::string> templates);

// A JSON object of class names and their sentences, {"rose": ["A rose has ...", ...]}. Names are
// compared without regard to `_` and case; names of other classes are passed over. Throws Error
// with all classes that have no sentence, each with the nearest name of the file.
[[nodiscard]] ClassTexts read_class_texts(const std::filesystem::path& file,
                                          std::span<const std::string> class_names);

// Each phrase of such a file in a template that holds {class} and {phrase} once each, such as "a
// photo of a {class}, which has {phrase}." (Menon and Vondrick 2023). Throws Error on any other
// template, and as read_class_texts() does.
[[nodiscard]] ClassTexts read_class_phrases(const std::filesystem::path& file,
                                            std::span<const std::string> class_names,
                                            const std::string& text);

}  // namespace espalier
