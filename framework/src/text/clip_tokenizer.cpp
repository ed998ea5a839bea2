// CLIP: NFC, white space to one space, lower case, words by a pattern, then byte pairs.
#include <array>
#include <unordered_map>

#include "byte_pair_internal.hpp"
#include "unicode.hpp"

namespace espalier::tokenizer {
namespace {

enum class Kind : std::uint8_t { space, letter, number, other };

Kind kind_of(char32_t c) {
  if (unicode::is_letter(c)) return Kind::letter;
  if (unicode::is_number(c)) return Kind::number;
  return unicode::is_space(c) ? Kind::space : Kind::other;
}

std::array<Kind, 128> ascii_kinds() {
  std::array<Kind, 128> kinds{};
  for (std::size_t c = 0; c < kinds.size(); ++c) kinds[c] = kind_of(static_cast<char32_t>(c));
  return kinds;
}

constexpr std::string_view contractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

class ClipModel final : public TextModel {
 public:
  ClipModel(const Spec& spec, FolderProblems& problems)
      : spec_(spec), byte_pair_(spec, problems), kinds_(ascii_kinds()) {
    for (int byte = 0; byte < 256; ++byte) {
      byte_of_[printable(static_cast<unsigned char>(byte))] = static_cast<char>(byte);
    }
  }

  std::string normalize(std::string_view text) const override {
    std::string composed;
    if (!unicode::is_ascii(text)) text = composed = unicode::nfc(text);
    std::string out;
    out.reserve(text.size());
    bool in_space = false;
    for (std::size_t at = 0; at < text.size();) {
      const char32_t c = unicode::next(text, at);
      const bool space = unicode::is_space(c);
      if (!space) unicode::append_lower(out, c);
      if (space && !in_space) out.push_back(' ');
      in_space = space;
    }
    return out;
  }

  void tokenize(std::string_view text, WordCache& cache,
                std::vector<std::int64_t>& ids) const override {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t start = at;
      if (const std::string_view name = special_name_at(text, at); !name.empty()) {
        for (const std::string_view part : {std::string_view("<|"), name, std::string_view("|>")}) {
          append_word(part, cache, ids);
          at += part.size();
        }
        continue;
      }
      at = end_of_word_at(text, at);
      if (at == start) {
        (void)unicode::next(text, at);
      } else {
        append_word(text.substr(start, at - start), cache, ids);
      }
    }
  }

  std::string decode(const std::vector<std::string_view>& tokens) const override {
    std::string bytes;
    for (const std::string_view token : tokens) {
      const bool ends = token.ends_with(end_of_word);
      const std::string_view body = token.substr(0, token.size() - (ends ? end_of_word.size() : 0));
      for (std::size_t at = 0; at < body.size();) {
        const auto byte = byte_of_.find(unicode::next(body, at));
        if (byte != byte_of_.end()) bytes.push_back(byte->second);
      }
      if (ends) bytes.push_back(' ');
    }
    if (bytes.ends_with(' ')) bytes.pop_back();
    return bytes;
  }

 private:
  Kind kind_at(std::string_view text, std::size_t& at) const {
    const char32_t c = unicode::next(text, at);
    return c < kinds_.size() ? kinds_[c] : kind_of(c);
  }

  // The pattern of a word at `start`; `start` itself where there is white space.
  std::size_t end_of_word_at(std::string_view text, std::size_t start) const {
    if (text[start] == '\'') {
      for (const std::string_view word : contractions) {
        if (text.substr(start).starts_with(word)) return start + word.size();
      }
    }
    std::size_t at = start;
    const Kind kind = kind_at(text, at);
    if (kind == Kind::space) return start;
    if (kind == Kind::number) return at;
    while (at < text.size()) {
      const std::size_t before = at;
      if (kind_at(text, at) != kind) return before;
    }
    return at;
  }

  // Special tokens in capitals are no added tokens, but in lower case the pattern knows them.
  std::string_view special_name_at(std::string_view text, std::size_t at) const {
    if (text[at] != '<' || !spec_.clip.pattern_has_specials) return {};
    for (const std::string_view name :
         {std::string_view("startoftext"), std::string_view("endoftext")}) {
      const std::string_view rest = text.substr(at);
      if (rest.starts_with("<|") && rest.substr(2).starts_with(name) &&
          rest.substr(2 + name.size()).starts_with("|>")) {
        return name;
      }
    }
    return {};
  }

  void append_word(std::string_view word, WordCache& cache, std::vector<std::int64_t>& ids) const {
    if (const auto* known = cache.find(word)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
    std::vector<std::int64_t> fresh;
    byte_pair_.encode(word, fresh);
    ids.insert(ids.end(), fresh.begin(), fresh.end());
    cache.put(word, std::move(fresh));
  }

  const Spec& spec_;
  BytePair byte_pair_;
  std::array<Kind, 128> kinds_;
  std::unordered_map<char32_t, char> byte_of_;
};

}  // namespace

std::unique_ptr<TextModel> make_clip_model(const Spec& spec, FolderProblems& problems) {
  return std::make_unique<ClipModel>(spec, problems);
}

}  // namespace espalier::tokenizer
