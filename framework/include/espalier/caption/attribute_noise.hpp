// Captions that are wrong in some of their attributes.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/core/random.hpp>
#include <espalier/plugin/wording.hpp>
#include <string>
#include <string_view>

namespace espalier {

// What happens to an attribute:
//   swap    another value stands in its place, each as likely
//   drop    it is left unsaid
//   insert  another value is said as well
enum class AttributeError { swap, drop, insert };

// `random` gives the same numbers whatever the rate, so that the attributes that are wrong at a
// lower rate are among those at a higher one.
struct AttributeNoise {
  AttributeError error = AttributeError::swap;
  double rate = 0;  // probability of each attribute

  // Of facts whose other values `wording` knows; an inserted value stands in `inserted`, and says
  // nothing where it is an empty object.
  [[nodiscard]] Json in_facts(Json facts, const Wording& wording, Random& random,
                              Json& inserted) const;
  // Of the words that attribute_words() finds, as far as one excludes another.
  [[nodiscard]] std::string in_text(std::string_view text, Random& random) const;
};

// The rate of one picture, where the pictures of a set differ: a draw from Beta(e / f, (1 - e) / f)
// with mean `rate` e and clustering f, at the quantile `u` in [0, 1), so that it rises with the
// rate; f = 0 is e itself.
[[nodiscard]] double clustered_rate(double rate, double clustering, double u);

}  // namespace espalier
