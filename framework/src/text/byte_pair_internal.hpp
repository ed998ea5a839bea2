// Byte-pair encoding over bytes, with an end-of-word mark (Sennrich et al. 2016; Radford et al.
// 2021).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer_internal.hpp"

namespace espalier::tokenizer {

inline constexpr std::string_view end_of_word = "</w>";

// GPT-2's printable character for a byte.
[[nodiscard]] char32_t printable(unsigned char byte);

class BytePair {
 public:
  // Adds a problem for every merge whose parts or result are not in the vocabulary, and one where
  // the vocabulary has tokens that no merge makes.
  BytePair(const Spec& spec, FolderProblems& problems);

  // Appends the ids of one word, in O(n log n).
  void encode(std::string_view word, std::vector<std::int64_t>& ids) const;

 private:
  struct Merge {
    std::int32_t rank;
    std::int32_t id;
  };
  struct Symbol {
    std::int32_t id;
    std::int32_t left;
    std::int32_t right;
  };

  // False where one of them is not in the vocabulary.
  bool add_merges(const Spec& spec, FolderProblems& problems);
  [[nodiscard]] const Merge* find(std::int32_t left, std::int32_t right) const;
  [[nodiscard]] std::vector<Symbol> symbols_of(std::string_view word) const;

  std::array<std::int32_t, 256> inner_{};  // id of a byte
  std::array<std::int32_t, 256> last_{};   // id of a byte that ends the word
  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace espalier::tokenizer
