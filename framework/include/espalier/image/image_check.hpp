// Finds the pictures of a dataset that cannot be used, before anything is trained on them.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/image/decode.hpp>
#include <filesystem>
#include <span>
#include <spdlog/fwd.h>
#include <vector>

namespace espalier {

// Throws Error for what is missing, no plain file or no picture, declares too many pixels or is cut
// off. Reads both ends of the file, and decodes it only where they leave a doubt;
// so damage in the middle may first show when the picture is used.
void check_image(const std::filesystem::path& file, const DecodeOptions& options = {});

enum class Unreadable { stop, skip };

// For each file whether it passes check_image(). Files that do not are all named: in `problems`
// (`stop`), or in one warning (`skip`). Long lists are cut short and counted.
[[nodiscard]] std::vector<bool> check_images(std::span<const std::filesystem::path> files,
                                             Unreadable policy, spdlog::logger& log,
                                             Problems& problems);

}  // namespace espalier
