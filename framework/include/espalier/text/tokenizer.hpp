// Texts to the ids that a text encoder was trained on.
//
// CLIP's byte-pair encoding and BERT's WordPiece, equal to Hugging Face's fast tokenizers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

struct Encoding {
  std::vector<std::int64_t> ids;       // with begin and end, cut to the tokenizer's max_length()
  std::vector<std::int64_t> type_ids;  // as long as ids: 1 in the second text of a pair, else 0
  std::int64_t full_length = 0;        // of ids before they were cut
};

// Rows of ids, padded at their ends to the longest of them.
struct TokenRows {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::int64_t> ids;      // [rows, columns]
  std::vector<std::int64_t> lengths;  // of each row without padding
  std::int64_t truncated = 0;         // rows that were longer than max_length()
};

struct SpecialIds {
  std::int64_t begin = 0;    // CLIP's <|startoftext|>, BERT's [CLS]
  std::int64_t end = 0;      // <|endoftext|>, [SEP]
  std::int64_t pad = 0;      // <|endoftext|>, [PAD]
  std::int64_t unknown = 0;  // <|endoftext|>, [UNK]
};

// Copies share the vocabulary and a bounded cache of words. Const methods may be called from
// several threads at once. Texts must be UTF-8: Error says at which byte one is not.
class Tokenizer {
 public:
  [[nodiscard]] Encoding encode(std::string_view text) const;
  // A pair is cut longest text first; an empty second text is no pair, as in Transformers.
  [[nodiscard]] Encoding encode(std::string_view text, std::string_view pair) const;
  // Throws Error with all texts (up to ten) that are not UTF-8.
  [[nodiscard]] TokenRows encode_batch(std::span<const std::string> texts) const;
  // The text of ids, special tokens left out. Throws Error on an id outside of the vocabulary.
  [[nodiscard]] std::string decode(std::span<const std::int64_t> ids) const;

  [[nodiscard]] const SpecialIds& special() const;
  // Largest id plus one.
  [[nodiscard]] std::int64_t vocabulary_size() const;
  [[nodiscard]] std::optional<std::int64_t> id(std::string_view token) const;
  // The most ids of a row, begin and end included.
  [[nodiscard]] std::int64_t max_length() const { return max_length_; }
  // The same tokenizer with another limit, at least 3.
  [[nodiscard]] Tokenizer with_max_length(std::int64_t max_length) const;

 private:
  struct State;
  friend Tokenizer open_tokenizer(const std::filesystem::path& folder);
  Tokenizer(std::shared_ptr<const State> state, std::int64_t max_length)
      : state_(std::move(state)), max_length_(max_length) {}
  std::shared_ptr<const State> state_;
  std::int64_t max_length_;
};

// Of a Hugging Face folder: `tokenizer.json`, else `vocab.json` with `merges.txt` (CLIP), else
// `vocab.txt` (BERT and its kin); special tokens and limits from `tokenizer_config.json`,
// `special_tokens_map.json`, `sentence_bert_config.json` and `config.json`. The limit is the
// smallest of those that are given, else 77 for CLIP and 512 for BERT. Throws Error, with up to ten
// problems, where files are absent or damaged, or ask for anything that would change ids and is not
// known here.
[[nodiscard]] Tokenizer open_tokenizer(const std::filesystem::path& folder);

}  // namespace espalier
