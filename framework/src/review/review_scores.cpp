#include "review/review_scores.hpp"

#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>

namespace espalier {
namespace {

constexpr std::size_t largest_file = std::size_t{64} << 20;

std::filesystem::path file_in(const std::filesystem::path& folder) {
  return folder / "scores.json";
}

[[noreturn]] void refuse_scores(const std::string& origin, std::string found) {
  throw Error({.what = "this is no file of scores",
               .where = origin,
               .expected = "{\"by\", \"measure\", \"scores\": {id: number}, \"set\"}",
               .found = std::move(found),
               .fix = "delete it; captions review with an encoder measures anew"});
}

std::string text_of(const Json& json, const char* key, const std::string& origin) {
  const Json value = json.value(key, Json());
  if (!value.is_string()) refuse_scores(origin, "no text \"" + std::string(key) + "\"");
  return value.get<std::string>();
}

}  // namespace

ReviewScores read_scores(std::string_view text, const std::string& origin) {
  const Json json = parse_json(text, origin);
  if (!json.is_object()) refuse_scores(origin, "no object");
  ReviewScores scores{.measure = text_of(json, "measure", origin),
                      .by = json.value("by", Json()),
                      .set = text_of(json, "set", origin),
                      .scores = {}};
  const Json given = json.value("scores", Json());
  if (!given.is_object()) refuse_scores(origin, "no object \"scores\"");
  for (const auto& [id, score] : given.items()) {
    if (!score.is_number() || !std::isfinite(score.get<double>())) {
      refuse_scores(origin, "no number for " + id);
    }
    scores.scores.emplace(id, score.get<double>());
  }
  return scores;
}

std::optional<ReviewScores> scores_in(const std::filesystem::path& folder, std::string_view set) {
  const std::filesystem::path file = file_in(folder);
  if (!std::filesystem::exists(file)) return std::nullopt;
  ReviewScores scores = read_scores(read_own_file(file, largest_file), file.string());
  if (scores.set != set) return std::nullopt;
  return scores;
}

void write_scores(const ReviewScores& scores, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const Json json = {{"by", scores.by},
                     {"measure", scores.measure},
                     {"scores", scores.scores},
                     {"set", scores.set}};
  write_file(file_in(folder), json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void add_scores(const ReviewScores& scores, std::span<ReviewItem> items) {
  for (ReviewItem& item : items) {
    if (const auto found = scores.scores.find(item.id); found != scores.scores.end()) {
      item.score = found->second;
    }
  }
}

}  // namespace espalier
