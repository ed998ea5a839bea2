// Where a caption names classes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace espalier {

// Further names by class.
using Synonyms = std::map<std::string, std::vector<std::string>, std::less<>>;

// A JSON object, {"bombay": ["black cat"], ...}. Throws Error on anything else.
[[nodiscard]] Synonyms read_synonyms(const std::filesystem::path& file);

// A name is found as whole words in a row, without regard to case, `_`, `-` and punctuation, its
// last word with or without a plural ending. The last word of a longer name stands for the class
// where no other class has it in its name (`bulldog` of `american bulldog`). Of names that overlap
// the first and then the longest counts. Const methods may be called from several threads at once.
class ClassNames {
 public:
  // Throws Error where the synonyms are of a class that is none.
  explicit ClassNames(std::span<const std::string> names, const Synonyms& synonyms = {});

  struct Mention {
    std::size_t begin = 0;  // bytes of the text
    std::size_t end = 0;
    std::int64_t label = 0;
  };
  // In the order of the text.
  [[nodiscard]] std::vector<Mention> mentions(std::string_view text) const;
  // The labels of the classes that are named, ascending, each once.
  [[nodiscard]] std::vector<std::int64_t> named(std::string_view text) const;
  // The text with `word` in the place of every mention.
  [[nodiscard]] std::string masked(std::string_view text, std::string_view word) const;

 private:
  struct Name {
    std::vector<std::string> rest;  // words behind the first, the last without an ending
    std::int64_t label = 0;
  };
  void add(const std::vector<std::string>& words, std::int64_t label);

  std::unordered_map<std::string, std::vector<Name>> by_first_word_;
};

}  // namespace espalier
