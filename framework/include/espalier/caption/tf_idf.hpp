// Texts as weighted counts of their words.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// The words of two characters or more that are in at least `least` of the texts, and of those the
// `most` that are in most of them (by name where as many): count times ln((1 + n) / (1 + df)) + 1,
// scaled to length 1. What scikit-learn's TfidfVectorizer does with min_df.
class TfIdf {
 public:
  TfIdf(std::span<const std::string> texts, std::size_t least, std::size_t most);

  [[nodiscard]] std::size_t width() const noexcept { return idf_.size(); }
  // Columns, ascending, and their values.
  [[nodiscard]] std::vector<std::pair<std::size_t, double>> row(std::string_view text) const;

 private:
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::vector<double> idf_;
};

}  // namespace espalier
