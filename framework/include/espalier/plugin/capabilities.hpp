// The words by which components say what they can do. The header of each kind says what they mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Those that a component of the kind may declare, besides `wraps:FIELD` and
// `unseen:FIELD` (it matters, and small inputs cannot show that); empty for what is no kind.
[[nodiscard]] const std::vector<std::string>& known_capabilities(std::string_view kind);

// Whether several components together have it only where each of them has: `identity_at_init`,
// `node_rows` and `mergeable`. What one of them needs or does, all of them together need or do.
[[nodiscard]] bool asked_of_all(std::string_view capability);

// Those of a dataset that follow from its data: `official_val` and `official_test`, where some
// sample is in such a split; `image_features`, `text_features`, `class_features` where it has such
// rows, and `shared_features` where those of images and texts can be compared. No component
// declares them.
[[nodiscard]] const std::vector<std::string>& data_capabilities();

}  // namespace espalier
