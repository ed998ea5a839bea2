// CoOp's split files, `split_zhou_*.json` (Zhou et al. 2022).
#pragma once

#include <espalier/dataset/photo_dataset.hpp>

namespace espalier {

// {"train": [[path, label, class name], ...], "val": [...], "test": [...]}. Samples keep the file's
// order, train, val, test, on which CoOp's few-shot lists depend. Ids get `photo_folder` before
// them. Class names are cleaned by class_name_from(). What is wrong is added to the problems:
// labels that are not 0 to C - 1, two names for a label, paths that leave the folder.
[[nodiscard]] PhotoList read_split_file(const std::filesystem::path& file,
                                        const std::string& photo_folder, Problems& problems);

// As CoOp writes class names into prompts: `_` becomes a space, letters lower case (ASCII).
[[nodiscard]] std::string class_name_from(std::string_view text);

// Whether a listed path stays below its folder: relative, not empty, no `..`, no NUL.
[[nodiscard]] bool is_inner_path(std::string_view text);

}  // namespace espalier
