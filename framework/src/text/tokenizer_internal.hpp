// What the sources of the tokenizers share.
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier::tokenizer {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>()(text);
  }
};

// Tokens by id; ids without a token have an empty one.
class Vocabulary {
 public:
  static constexpr std::int64_t max_size = std::int64_t{1} << 22;

  void set(std::int64_t id, const std::string& token);
  // -1 where there is no such token.
  [[nodiscard]] std::int64_t find(std::string_view token) const;
  [[nodiscard]] const std::string& token(std::int64_t id) const {
    return tokens_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
};

// A token that is cut out of the text before anything else is done with it, or, where it is
// `normalized`, after the text was normalised.
struct AddedToken {
  std::string text;
  std::int64_t id = 0;
  bool special = true;
  bool normalized = false;
};

struct ClipRules {
  std::vector<std::pair<std::string, std::string>> merges;
  // Whether the pattern that splits words names the special tokens.
  bool pattern_has_specials = true;
};

struct BertRules {
  bool clean_text = true;
  bool separate_ideographs = true;
  bool lowercase = true;
  std::optional<bool> strip_accents;   // empty: where letters are lowered
  std::int64_t max_word_length = 100;  // characters; longer words are unknown
  std::string continuation = "##";
};

// What stands beside a vocabulary: objects, empty where their files are absent.
struct Settings {
  std::filesystem::path folder;
  Json config;    // tokenizer_config.json
  Json map;       // special_tokens_map.json
  Json added;     // added_tokens.json
  Json sentence;  // of sentence_bert_config.json, or of one of its older names
  std::string sentence_file;
  Json model;  // what config.json says of the text tower

  // `tokenizer_class` without "Fast"; empty where there is none.
  [[nodiscard]] std::string class_name() const;
  // Whether the class takes everything from tokenizer.json, whatever else the folder says.
  [[nodiscard]] bool is_generic() const;
  // Where the configuration lists the added tokens, Transformers goes by it alone.
  [[nodiscard]] bool lists_added() const { return config.contains("added_tokens_decoder"); }
};

// A tokenizer as its files describe it.
struct Spec {
  std::filesystem::path origin;
  bool is_clip = true;
  Vocabulary vocabulary;
  std::vector<AddedToken> added;
  ClipRules clip;
  BertRules bert;
  std::string begin, end, pad, unknown;
  std::int64_t pair_separators = 1;  // end tokens between the texts of a pair
  std::int64_t pair_type = 1;        // type id of the second text
  std::int64_t max_length = 0;
  bool truncate_left = false;    // a text that is too long loses its beginning
  bool lowercase_first = false;  // before all else, as sentence-transformers does it
  bool split_specials = false;   // special tokens inside a text are plain text
};

// Collects up to ten problems of one folder, then throws them.
class FolderProblems {
 public:
  void add(Problem problem) {
    problems_.add(std::move(problem));
    if (problems_.size() >= 10) problems_.throw_if_any();
  }
  // Keeps what `read` throws. False where it threw.
  template <class Read>
  bool collect(Read&& read) {
    try {
      read();
      return true;
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) add(problem);
      return false;
    }
  }
  void throw_if_any() const { problems_.throw_if_any(); }

 private:
  Problems problems_;
};

[[nodiscard]] Spec read_spec(const std::filesystem::path& folder);

// Pieces of files. What is wrong is added to the problems.
[[nodiscard]] Settings read_settings(const std::filesystem::path& folder, FolderProblems& problems);
void read_clip_files(const std::filesystem::path& folder, Spec& spec, FolderProblems& problems);
void read_bert_files(const std::filesystem::path& folder, Spec& spec, FolderProblems& problems);
// What `settings` say over what the vocabulary's files said: rules, lengths, the side that is cut.
// `from_json`: those files were tokenizer.json, which may disagree.
void apply_settings(const Settings& settings, bool from_json, Spec& spec, FolderProblems& problems);
// Begin, end and their like, and every token that is cut out of texts.
void set_specials(const Settings& settings, bool from_json, Spec& spec, FolderProblems& problems);
void read_vocabulary(const Json& json, const std::string& origin, Vocabulary& vocabulary,
                     FolderProblems& problems);
void add_merge(const std::string& line, const std::string& where, ClipRules& rules,
               FolderProblems& problems);
// More would make reading them, and every text, slow.
inline constexpr std::size_t most_added_tokens = 10'000;

// Objects of {"content", "id", "special", "normalized", "single_word"}, in the order of their ids;
// new ids extend the vocabulary, without a gap. One that is known takes the new flags.
void add_tokens(std::vector<Json> tokens, const std::string& where, Spec& spec,
                FolderProblems& problems);
// Fills in everything that `tokenizer.json` says.
void read_tokenizer_json(const std::filesystem::path& file, Spec& spec, FolderProblems& problems);

// Ids of words seen before, bounded in size.
class WordCache {
 public:
  // Null where the word is not there.
  [[nodiscard]] const std::vector<std::int64_t>* find(std::string_view word) const;
  void put(std::string_view word, std::vector<std::int64_t> ids);

 private:
  std::unordered_map<std::string, std::vector<std::int64_t>, Hash, std::equal_to<>> words_;
};

// How a family of models cuts a text that holds no added token.
class TextModel {
 public:
  virtual ~TextModel() = default;
  [[nodiscard]] virtual std::string normalize(std::string_view text) const = 0;
  // Appends the ids of normalised text.
  virtual void tokenize(std::string_view normalized, WordCache& cache,
                        std::vector<std::int64_t>& ids) const = 0;
  [[nodiscard]] virtual std::string decode(const std::vector<std::string_view>& tokens) const = 0;
};

// The spec must outlive the model. Problems of the vocabulary are added.
[[nodiscard]] std::unique_ptr<TextModel> make_clip_model(const Spec& spec,
                                                         FolderProblems& problems);
[[nodiscard]] std::unique_ptr<TextModel> make_bert_model(const Spec& spec);

}  // namespace espalier::tokenizer
