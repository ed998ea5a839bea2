// The captions of a file as something to review, and what a review leaves of them.
#pragma once

#include "review/review.hpp"
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

struct ReviewInput {
  std::vector<ReviewItem> items;
  std::string set;      // `sha256:` and the digest of the file
  std::string measure;  // of the items' scores; empty where they have none
};
// Of whatever read_captions() takes, with the scores that are kept with the decisions about it.
// Throws Error as these do.
[[nodiscard]] ReviewInput read_review_input(const std::filesystem::path& file,
                                            const std::filesystem::path& decisions);

struct ReviewedFile {
  std::size_t captions = 0;  // with a text
  std::size_t edited = 0;
  std::size_t rejected = 0;
  std::string parent;  // `sha256:` and the digest of the file that was reviewed
  std::string digest;  // of what was written
};

// Writes a caption set whose `about` names the parent: captions as they were or as they were
// edited, those that were rejected `dropped` and without a text. Records that were decided on say
// so in `reviewed`.
ReviewedFile write_reviewed(const std::filesystem::path& parent, std::span<const ReviewItem> items,
                            std::span<const std::optional<Decision>> outcomes,
                            const std::filesystem::path& out);

}  // namespace espalier
