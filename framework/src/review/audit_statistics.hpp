// How many captions are wrong, from a few that people looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

struct Share {
  double estimate = 0;
  double low = 0;
  double high = 1;
};

// Wilson's score interval of k of n (Wilson 1927). Nothing looked at: 0 to 1.
[[nodiscard]] Share wilson(std::int64_t wrong, std::int64_t looked_at, double level = 0.95);
// Clopper and Pearson's (1934), which covers at least as often as `level` says.
[[nodiscard]] Share clopper_pearson(std::int64_t wrong, std::int64_t looked_at,
                                    double level = 0.95);
// The largest share that k of n leave open, one-sided: Clopper and Pearson's bound at `level`.
[[nodiscard]] double at_most(std::int64_t wrong, std::int64_t looked_at, double level = 0.95);

// A part of a set: how large it is, how many of it were looked at and how many of those are wrong.
struct Stratum {
  std::string name;
  std::int64_t size = 0;
  std::int64_t looked_at = 0;
  std::int64_t wrong = 0;
};

// Sum of W p over the strata, W their share of the set, by a normal interval with the variance
// sum of W^2 p (1 - p) / n (1 - n / N), cut to 0 and 1 (Cochran 1977, 5.3). A stratum of which all
// or none are wrong counts with (k + 1) / (n + 2) in the variance alone, so that few captions do
// not make it zero. Empty where a stratum that has captions was not looked at.
[[nodiscard]] std::optional<Share> stratified(std::span<const Stratum> strata, double level = 0.95);

// How many looks make Wilson's interval `half_width` on either side, where `rate` are wrong; of a
// set of so many captions, and never more than those.
[[nodiscard]] std::int64_t looks_needed(double rate, double half_width, std::int64_t captions,
                                        double level = 0.95);

// What reviewers said of the same captions, a list a caption of one verdict each, numbers of a
// kind.
using Verdicts = std::vector<std::vector<int>>;

struct Agreement {
  std::int64_t captions = 0;  // with two verdicts or more
  double observed = 0;        // the share of pairs of verdicts that agree
  double expected = 0;        // by chance
  // Krippendorff's alpha for nominal data (2011), any number of reviewers; 1 where there is one
  // kind of verdict.
  double alpha = 1;
};
[[nodiscard]] Agreement agreement(const Verdicts& verdicts);

// Cohen's kappa of two reviewers (1960) from pairs of verdicts, (observed - expected) / (1 -
// expected); 1 where both always say the same one thing.
struct Kappa {
  double observed = 0;  // the share of pairs that agree
  double expected = 0;  // by chance
  double kappa = 1;
};
[[nodiscard]] Kappa cohen_kappa(std::span<const std::pair<int, int>> pairs);

// The probability that a wrong caption has a lower score than a right one, ties half: the area
// under the ROC curve (Mann and Whitney's U). Nothing where there is none of either.
[[nodiscard]] std::optional<double> auc(std::span<const double> wrong,
                                        std::span<const double> right);

}  // namespace espalier
