// How far captions agree: with their class, with what is known, with one another.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/wording.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Of one group of attribute_groups(). In every class the word that most captions with a word of the
// group have (the first of the group where several have as many) is the class's; a caption agrees
// if it has that word.
struct GroupAgreement {
  std::string_view group;
  std::int64_t captions = 0;  // with a word of the group
  double agreement = 0;       // share of them that agree; NaN of none
};
[[nodiscard]] std::vector<GroupAgreement> class_agreement(std::span<const std::string> texts,
                                                          std::span<const std::int64_t> labels);

// Against facts: values that a text says word for word, of attributes whose other values are known
// and of which the texts say any at all. CHAIR (Rohrbach et al., EMNLP 2018) for attributes:
// CHAIR_i is 1 - precision, CHAIR_s is `hallucinating`.
struct FactAgreement {
  std::vector<std::string> attributes;  // that are said
  std::int64_t mentions = 0;
  double precision = 0;      // of mentions that are true; NaN of none
  double recall = 0;         // of true values that are said
  double hallucinating = 0;  // share of captions with a mention that is not true
};
// One text of each of `facts`.
[[nodiscard]] FactAgreement fact_agreement(std::span<const std::string> texts,
                                           std::span<const Json> facts, const Wording& wording);

// Mean Jaccard index of the attribute words over all pairs of captions of one picture; of pairs
// that have such words. NaN of none. `samples` holds the captions of each picture.
[[nodiscard]] double self_consistency(std::span<const std::vector<std::string>> samples);

}  // namespace espalier
