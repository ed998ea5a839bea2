#include <algorithm>
#include <cmath>
#include <espalier/caption/tf_idf.hpp>
#include <espalier/caption/words.hpp>
#include <set>

#include "text/unicode.hpp"

namespace espalier {
namespace {

// Of two characters or more.
std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  for (CaptionWord& word : caption_words(text)) {
    std::size_t at = 0;
    (void)unicode::next(word.lower, at);
    if (at < word.lower.size()) terms.push_back(std::move(word.lower));
  }
  return terms;
}

}  // namespace

TfIdf::TfIdf(std::span<const std::string> texts, std::size_t least, std::size_t most) {
  std::map<std::string, std::size_t> frequency;
  for (const std::string& text : texts) {
    const auto terms = terms_of(text);
    for (const std::string& term : std::set<std::string>(terms.begin(), terms.end())) {
      ++frequency[term];
    }
  }
  std::vector<std::pair<std::string, std::size_t>> kept;
  for (const auto& [term, count] : frequency) {
    if (count >= least) kept.emplace_back(term, count);
  }
  std::stable_sort(kept.begin(), kept.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  kept.resize(std::min(most, kept.size()));
  const auto n = static_cast<double>(texts.size());
  for (const auto& [term, count] : kept) {
    columns_.emplace(term, idf_.size());
    idf_.push_back(std::log((1 + n) / (1 + static_cast<double>(count))) + 1);
  }
}

std::vector<std::pair<std::size_t, double>> TfIdf::row(std::string_view text) const {
  std::map<std::size_t, double> counts;
  for (const std::string& term : terms_of(text)) {
    const auto column = columns_.find(term);
    if (column != columns_.end()) ++counts[column->second];
  }
  double square = 0;
  for (auto& [column, value] : counts) {
    value *= idf_[column];
    square += value * value;
  }
  std::vector<std::pair<std::size_t, double>> row(counts.begin(), counts.end());
  for (auto& [column, value] : row) value /= std::sqrt(square);
  return row;
}

}  // namespace espalier
