#include <espalier/core/words.hpp>

#include <algorithm>
#include <espalier/core/json.hpp>
#include <numeric>

namespace espalier {
namespace {

// Insertions, deletions, changes and swaps of neighbours that lead from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> above(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = std::min(next[j], above[j - 2] + 1);
    }
    std::swap(above, row);
    std::swap(row, next);
  }
  return row.back();
}

}  // namespace

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& known) {
  if (word.size() < 2) return {};
  std::size_t best = 1 + std::max<std::size_t>(1, word.size() / 3);
  std::optional<std::string> name;
  for (const std::string& candidate : known) {
    if (const std::size_t distance = edit_distance(word, candidate); distance < best) {
      best = distance;
      name = candidate;
    }
  }
  return name;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                         std::string_view before, std::string_view after) {
  const auto near = nearest_name(word, known);
  if (!near) return {};
  return "did you mean \"" + std::string(before) + *near + std::string(after) + "\"?";
}

bool is_utf8(std::string_view text) try {
  (void)Json(text).dump();
  return true;
} catch (const Json::exception&) {
  return false;
}

}  // namespace espalier
