// Folders of photos as people have them.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/plugin/dataset.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// `train`, `training`; `val`, `valid`, `validation`; `test`, `testing`; in any case. Nothing for
// other words.
[[nodiscard]] std::optional<Split> split_named(std::string_view word);

// Folders directly in `folder`, links to folders among them, without those that are left out
// (core/left_out.hpp); sorted. Throws Error where it cannot be read.
[[nodiscard]] std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

// Files at any depth, links followed, without what is left out; sorted. What can be no photo is
// among them, for check_image() to say why: links that lead nowhere or to a folder that was
// searched already, pipes, devices, folders that may not be read, `folder` itself too.
[[nodiscard]] std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

// A name of a class as it is said: in one Unicode form (NFC), spaces for underscores, no spaces
// around and never two in a row. What is not UTF-8 stays as it is.
[[nodiscard]] std::string spoken_name(std::string_view text);

// Adds a problem for all names that differ and are spoken alike: `a_b` beside `a b`, `rose ` beside
// `rose`, letters with composed and separate accents. Also for names that are not UTF-8.
void check_class_names(const std::vector<std::string>& names, const std::filesystem::path& where,
                       Problems& problems);

}  // namespace espalier
