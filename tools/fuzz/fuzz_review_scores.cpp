// Scores of captions under review.
#include "review/review_scores.hpp"

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fuzz = espalier::fuzz;
  return fuzz::accept_or_refuse(
      [&] { static_cast<void>(espalier::read_scores(fuzz::text_of(data, size), "input")); });
}
