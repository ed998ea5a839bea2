#include "vocabulary.hpp"

#include <algorithm>
#include <cctype>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <map>

namespace espalier::flora_clip {
namespace {

using Symbols = std::vector<std::string>;
using Pair = std::pair<std::string, std::string>;
using Words = std::map<Symbols, std::int64_t>;

constexpr std::string_view word_end = "</w>";

std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
}

// CLIP writes every byte as a printable character: itself where it is one, else from 256 on. In the
// order of CLIP's own vocabulary.
std::vector<std::string> byte_characters() {
  const auto printable = [](unsigned byte) {
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  };
  std::vector<std::string> characters;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (printable(byte)) characters.push_back(utf8(byte));
  }
  for (unsigned code = 256; characters.size() < 256; ++code) characters.push_back(utf8(code));
  return characters;
}

void count_word(std::string& word, Words& words) {
  if (word.empty()) return;
  Symbols symbols;
  for (const char c : word) symbols.emplace_back(1, c);
  symbols.back() += word_end;
  ++words[symbols];
  word.clear();
}

// Runs of letters; every digit and every run of other marks is a word of its own.
Words split_words(const std::vector<std::string>& sentences) {
  enum class Class { space, letter, digit, mark };
  const auto class_of = [](unsigned char c) {
    if (std::isspace(c) != 0) return Class::space;
    if (std::isalpha(c) != 0) return Class::letter;
    return std::isdigit(c) != 0 ? Class::digit : Class::mark;
  };
  Words words;
  for (const std::string& sentence : sentences) {
    std::string word;
    Class last = Class::space;
    for (const char c : sentence) {
      const auto byte = static_cast<unsigned char>(c);
      ESPALIER_ASSERT(byte < 128, "the sentences are ASCII");
      const Class now = class_of(byte);
      if (now != last || now == Class::digit) count_word(word, words);
      if (now != Class::space) word.push_back(static_cast<char>(std::tolower(byte)));
      last = now;
    }
    count_word(word, words);
  }
  return words;
}

std::pair<Pair, std::int64_t> most_frequent(const Words& words) {
  std::map<Pair, std::int64_t> counts;
  for (const auto& [symbols, count] : words) {
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      counts[{symbols[i], symbols[i + 1]}] += count;
    }
  }
  std::pair<Pair, std::int64_t> best{{}, 0};
  for (const auto& entry : counts) {
    if (entry.second > best.second) best = entry;
  }
  return best;
}

Words merged(const Words& words, const Pair& pair) {
  Words result;
  for (const auto& [symbols, count] : words) {
    Symbols joined;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const bool match =
          i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
      joined.push_back(match ? pair.first + pair.second : symbols[i]);
      i += match ? 1 : 0;
    }
    result[joined] += count;
  }
  return result;
}

}  // namespace

Vocabulary learn_vocabulary(const std::vector<std::string>& sentences, std::int64_t merges) {
  Vocabulary vocabulary;
  vocabulary.tokens = byte_characters();
  for (std::size_t i = 0; i < 256; ++i) {
    vocabulary.tokens.push_back(vocabulary.tokens[i] + std::string(word_end));
  }
  Words words = split_words(sentences);
  while (static_cast<std::int64_t>(vocabulary.merges.size()) < merges) {
    const auto [pair, count] = most_frequent(words);
    if (count < 2) break;
    vocabulary.merges.push_back(pair);
    vocabulary.tokens.push_back(pair.first + pair.second);
    words = merged(words, pair);
  }
  vocabulary.tokens.emplace_back("<|startoftext|>");
  vocabulary.tokens.emplace_back("<|endoftext|>");
  return vocabulary;
}

void write_vocabulary(const Vocabulary& vocabulary, std::int64_t max_length,
                      const std::filesystem::path& folder) {
  Json ids = Json::object();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) ids[vocabulary.tokens[id]] = id;
  std::string lines = "#version: 0.2\n";
  for (const auto& [left, right] : vocabulary.merges) lines.append(left + " " + right + "\n");
  const Json special{{"bos_token", "<|startoftext|>"},
                     {"eos_token", "<|endoftext|>"},
                     {"pad_token", "<|endoftext|>"},
                     {"unk_token", "<|endoftext|>"}};
  Json config = special;
  config["tokenizer_class"] = "CLIPTokenizer";
  config["model_max_length"] = max_length;
  config["do_lower_case"] = true;
  write_file(folder / "vocab.json", ids.dump() + "\n");
  write_file(folder / "merges.txt", lines);
  write_file(folder / "tokenizer_config.json", config.dump(2) + "\n");
  write_file(folder / "special_tokens_map.json", special.dump(2) + "\n");
}

}  // namespace espalier::flora_clip
