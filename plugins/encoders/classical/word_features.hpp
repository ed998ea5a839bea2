// Texts as hashed word n-grams weighted by tf-idf.
//
// Words are runs of letters, marks and digits, in lower case. Every run of 1 to `ngrams` words is
// one term; it is counted in the column hash mod `width`, with the sign of one more bit of the
// hash, so that collisions cancel on average (Weinberger et al., ICML 2009). A column's idf is
// ln((1 + n) / (1 + df)) + 1 for df of n texts (Salton and Buckley 1988, smoothed as scikit-learn
// does), and a text's vector is scaled to length 1.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// The words of a text. What is not UTF-8 separates words.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

class WordFeatures {
 public:
  // Until fit() every idf is 1.
  WordFeatures(std::int64_t width, std::int64_t ngrams);

  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  void fit(std::span<const std::string> texts);
  // width() values; all 0 where the text has no word.
  [[nodiscard]] std::vector<float> transform(std::string_view text) const;

 private:
  [[nodiscard]] std::vector<double> counts(std::string_view text) const;

  std::int64_t width_;
  std::int64_t ngrams_;
  std::vector<double> idf_;
};

}  // namespace espalier
