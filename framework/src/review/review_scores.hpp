// How doubtful a measure finds each caption of a set, kept beside the decisions about them.
//
// scores.json: {"by": {...}, "measure": "clip_score", "scores": {"roses/1.jpg": 0.71, ...},
// "set": "sha256:..."}.
#pragma once

#include "review/caption_flags.hpp"
#include <espalier/core/json.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace espalier {

struct ReviewScores {
  std::string measure;  // such as `clip_score`
  Json by;              // what measured it: an encoder, or further captions
  std::string set;      // digest of the file of captions
  std::map<std::string, double, std::less<>> scores;  // by id; the lower, the more doubtful
};

// Throws Error where it is none.
[[nodiscard]] ReviewScores read_scores(std::string_view text, const std::string& origin);
// Of a folder of decisions. Nothing where it holds none, or those of another set.
[[nodiscard]] std::optional<ReviewScores> scores_in(const std::filesystem::path& folder,
                                                    std::string_view set);
void write_scores(const ReviewScores& scores, const std::filesystem::path& folder);

// Gives each caption its score, where there is one.
void add_scores(const ReviewScores& scores, std::span<ReviewItem> items);

}  // namespace espalier
