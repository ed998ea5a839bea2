// BERT: clean text, lower case without accents, words by white space and punctuation, then the
// longest pieces of the vocabulary from the left (Wu et al. 2016; Devlin et al. 2019).
#include <algorithm>
#include <array>

#include "tokenizer_internal.hpp"
#include "unicode.hpp"

namespace espalier::tokenizer {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

class BertModel final : public TextModel {
 public:
  explicit BertModel(const Spec& spec)
      : spec_(spec), rules_(spec.bert), unknown_(spec.vocabulary.find(spec.unknown)) {}

  std::string normalize(std::string_view text) const override {
    std::string cleaned = clean(text);
    if (unicode::is_ascii(cleaned)) return lowered(std::move(cleaned));
    if (rules_.strip_accents.value_or(rules_.lowercase)) cleaned = without_accents(cleaned);
    return lowered(std::move(cleaned));
  }

  void tokenize(std::string_view text, WordCache& cache,
                std::vector<std::int64_t>& ids) const override {
    std::size_t word = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = at;
      const char32_t c = unicode::next(text, at);
      const bool punctuation = unicode::is_punctuation(c);
      if (!punctuation && !unicode::is_space(c)) continue;
      append_word(text.substr(word, start - word), cache, ids);
      if (punctuation) append_word(text.substr(start, at - start), cache, ids);
      word = at;
    }
    append_word(text.substr(word), cache, ids);
  }

  std::string decode(const std::vector<std::string_view>& tokens) const override {
    std::string out;
    for (const std::string_view token : tokens) {
      std::string piece(token);
      if (!out.empty()) {
        const bool continues = token.starts_with(rules_.continuation);
        piece = continues ? piece.substr(rules_.continuation.size()) : " " + piece;
      }
      out += tidied(std::move(piece));
    }
    return out;
  }

 private:
  std::string clean(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const char32_t c = unicode::next(text, at);
      const bool blank = unicode::is_space(c);
      if (rules_.clean_text && blank && is_kept(c)) {
        out.push_back(' ');
      } else if (rules_.clean_text && !is_kept(c)) {
        continue;
      } else if (rules_.separate_ideographs && unicode::is_ideograph(c)) {
        out.push_back(' ');
        unicode::append(out, c);
        out.push_back(' ');
      } else {
        unicode::append(out, c);
      }
    }
    return out;
  }

  static bool is_kept(char32_t c) {
    if (c == '\t' || c == '\n' || c == '\r') return true;
    return c != 0 && c != 0xFFFD && !unicode::is_other(c);
  }

  static std::string without_accents(std::string_view text) {
    const std::string decomposed = unicode::nfd(text);
    std::string out;
    for (std::size_t at = 0; at < decomposed.size();) {
      const char32_t c = unicode::next(decomposed, at);
      if (!unicode::is_nonspacing_mark(c)) unicode::append(out, c);
    }
    return out;
  }

  std::string lowered(std::string text) const {
    if (!rules_.lowercase) return text;
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) unicode::append_lower(out, unicode::next(text, at));
    return out;
  }

  void append_word(std::string_view word, WordCache& cache, std::vector<std::int64_t>& ids) const {
    if (word.empty()) return;
    if (const auto* known = cache.find(word)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
    std::vector<std::int64_t> fresh = pieces_of(word);
    ids.insert(ids.end(), fresh.begin(), fresh.end());
    cache.put(word, std::move(fresh));
  }

  std::vector<std::int64_t> pieces_of(std::string_view word) const {
    if (character_count(word) > static_cast<std::size_t>(rules_.max_word_length)) return {unknown_};
    std::vector<std::int64_t> pieces;
    while (!word.empty()) {
      const std::string prefix = pieces.empty() ? "" : rules_.continuation;
      std::size_t size = word.size();
      std::int64_t id = spec_.vocabulary.find(prefix + std::string(word));
      while (id < 0 && size > 1) {
        --size;
        const bool inside = (static_cast<unsigned char>(word[size]) & 0xC0) == 0x80;
        if (!inside) id = spec_.vocabulary.find(prefix + std::string(word.substr(0, size)));
      }
      if (id < 0) return {unknown_};
      pieces.push_back(id);
      word.remove_prefix(size);
    }
    return pieces;
  }

  // Space before punctuation goes, as Hugging Face's WordPiece decoder does it.
  static std::string tidied(std::string piece) {
    constexpr std::pair<std::string_view, std::string_view> rules[] = {
        {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
        {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
        {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : rules) replace_all(piece, from, to);
    return piece;
  }

  const Spec& spec_;
  const BertRules& rules_;
  std::int64_t unknown_;
};

}  // namespace

std::unique_ptr<TextModel> make_bert_model(const Spec& spec) {
  return std::make_unique<BertModel>(spec);
}

}  // namespace espalier::tokenizer
