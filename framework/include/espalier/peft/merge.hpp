// An adapter put into its base model, as a folder that from_pretrained() opens.
#pragma once

#include <cstdint>
#include <espalier/nn/adaptable.hpp>
#include <filesystem>

namespace espalier {

// Writes `base`'s folder anew as `folder`, which must not be there or be empty: its weights with
// what stands now in the place of those that were loaded, in the types that they are stored in, and
// a copy of its other files. The last name appears once all is written. Returns how many tensors
// differ. Throws Error where the weights are not all in `base` itself, where a replaced weight has
// no counterpart in its files, and where `folder` holds something.
std::int64_t write_merged(const std::filesystem::path& base, const AdaptableEncoder& encoder,
                          const std::filesystem::path& folder);

}  // namespace espalier
