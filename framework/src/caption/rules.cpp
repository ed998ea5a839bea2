#include <espalier/caption/rules.hpp>
#include <zlib.h>

#include <algorithm>
#include <espalier/caption/words.hpp>
#include <map>

#include "text/unicode.hpp"

#include "near_duplicates_internal.hpp"

namespace espalier {
namespace {

using Words = std::vector<CaptionWord>;

constexpr std::size_t fewest_words = 5;
constexpr std::int64_t most_tokens = 77;
constexpr double most_foreign = 0.2;
constexpr std::size_t most_repeated = 3;
constexpr double most_compressed = 2.4;
constexpr double most_openings = 0.1;
constexpr double most_alike = 0.8;

constexpr CaptionRuleInfo infos[] = {
    {CaptionRule::empty, "empty", "has no text", false, true},
    {CaptionRule::refused, "refused", "the model would not describe the picture", false, true},
    {CaptionRule::truncated, "truncated", "ends where the room for it ended", false, true},
    {CaptionRule::unfinished, "unfinished", "was cut and has no end mark", false, true},
    {CaptionRule::thinking, "thinking", "is reasoning, not a caption", false, true},
    {CaptionRule::too_short, "too_short", "has fewer than 5 words", false, true},
    {CaptionRule::too_long, "too_long", "has more than 77 tokens", false, true},
    {CaptionRule::foreign_script, "foreign_script", "a fifth of its letters is not Latin", false,
     true},
    {CaptionRule::markdown, "markdown", "holds headings, lists, emphasis or links", false, true},
    {CaptionRule::markup, "markup", "holds tags, control characters or marks of direction", false,
     true},
    {CaptionRule::repetition, "repetition", "says the same again and again", false, true},
    {CaptionRule::meta, "meta", "speaks of text, a watermark or itself", false, true},
    {CaptionRule::boilerplate, "boilerplate", "opens as a tenth of the captions do", true, false},
    {CaptionRule::duplicate, "duplicate", "has the words of another picture's", true, false},
    {CaptionRule::near_duplicate, "near_duplicate", "has nearly the words of another picture's",
     true, false},
    {CaptionRule::names_class, "names_class", "names a class", false, false},
};

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

template <std::size_t n>
bool holds_one(const std::string& text, const std::string_view (&pieces)[n], std::size_t within) {
  return std::any_of(std::begin(pieces), std::end(pieces),
                     [&](std::string_view piece) { return text.find(piece) <= within; });
}

bool is_refusal(const std::string& lower) {
  constexpr std::string_view openings[] = {"i'm sorry",
                                           "i am sorry",
                                           "i cannot",
                                           "i can't",
                                           "i'm unable",
                                           "i am unable",
                                           "as an ai",
                                           "sorry, i",
                                           "unable to describe",
                                           "i can\xe2\x80\x99t",
                                           "i\xe2\x80\x99m sorry"};
  return holds_one(lower, openings, 20);
}

bool is_thinking(const std::string& lower) {
  constexpr std::string_view tags[] = {"<think", "</think"};
  constexpr std::string_view openings[] = {"okay, so ",     "okay, the user", "the user wants",
                                           "the user asks", "let me think",   "let's see"};
  return holds_one(lower, tags, lower.size()) || holds_one(lower, openings, 0);
}

bool has_end_mark(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n\"')");
  return last != std::string_view::npos &&
         (text[last] == '.' || text[last] == '!' || text[last] == '?');
}

bool is_latin(char32_t c) { return c < 0x250 || (c >= 0x1e00 && c <= 0x1eff); }

bool is_foreign(std::string_view text) {
  if (unicode::first_invalid_byte(text)) return false;
  double letters = 0, foreign = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = unicode::next(text, at);
    if (!unicode::is_letter(c)) continue;
    ++letters;
    foreign += is_latin(c) ? 0 : 1;
  }
  return foreign > most_foreign * letters;
}

bool is_markdown(std::string_view text) {
  if (text.find("**") != text.npos || text.find("```") != text.npos) return true;
  const std::size_t link = text.find("](");
  if (link != text.npos && text.find(')', link) != text.npos) return true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    constexpr std::string_view marks[] = {"# ", "## ", "### ", "- ", "* ", "> "};
    for (const std::string_view mark : marks) {
      if (line.starts_with(mark)) return true;
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return false;
}

bool is_direction_or_control(char32_t c) {
  const bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7f && c < 0xa0);
  return control || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool is_markup(std::string_view text) {
  if (unicode::first_invalid_byte(text)) return true;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = unicode::next(text, at);
    if (is_direction_or_control(c)) return true;
    const char next = c == '<' && at < text.size() ? text[at] : ' ';
    const bool tag =
        (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || next == '/' || next == '!';
    if (tag && text.find('>', at) != text.npos) return true;
  }
  return false;
}

bool is_repetition(const std::string& text, const Words& words) {
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    const std::string run = words[i].lower + ' ' + words[i + 1].lower + ' ' + words[i + 2].lower;
    if (++counts[run] > most_repeated) return true;
  }
  auto size = ::compressBound(static_cast<uLong>(text.size()));
  std::vector<Bytef> small(size);
  const auto* bytes = reinterpret_cast<const Bytef*>(text.data());
  const bool done = ::compress(small.data(), &size, bytes, static_cast<uLong>(text.size())) == Z_OK;
  return done && static_cast<double>(text.size()) > most_compressed * static_cast<double>(size);
}

bool is_meta(const Words& words) {
  constexpr std::string_view telling[] = {
      "watermark", "watermarks", "watermarked", "text", "caption", "logo", "i"};
  return std::any_of(words.begin(), words.end(), [&](const CaptionWord& word) {
    return std::find(std::begin(telling), std::end(telling), word.lower) != std::end(telling);
  });
}

std::string opening_of(const Words& words) {
  return words.size() < 2 ? std::string() : words[0].lower + ' ' + words[1].lower;
}

void add_openings(const std::vector<Words>& words, std::vector<RuleSet>& broken) {
  std::map<std::string, std::size_t> counts;
  for (const Words& some : words) ++counts[opening_of(some)];
  const double most = most_openings * static_cast<double>(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string opening = opening_of(words[i]);
    if (!opening.empty() && static_cast<double>(counts[opening]) > most) {
      broken[i].add(CaptionRule::boilerplate);
    }
  }
}

void add_twins(const std::vector<Words>& words, SetRules& rules) {
  const Twins twins = find_twins(words, most_alike);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (twins.equal[i] >= 0) rules.broken[i].add(CaptionRule::duplicate);
    if (twins.near[i] >= 0) rules.broken[i].add(CaptionRule::near_duplicate);
    rules.twin.push_back(twins.near[i] >= 0 ? twins.near[i] : twins.equal[i]);
  }
}

}  // namespace

std::span<const CaptionRuleInfo> caption_rules() { return infos; }

const CaptionRuleInfo* find_caption_rule(std::string_view name) {
  const auto found = std::find_if(std::begin(infos), std::end(infos),
                                  [&](const CaptionRuleInfo& info) { return info.name == name; });
  return found == std::end(infos) ? nullptr : found;
}

std::int64_t least_tokens(const std::string& text) {
  std::int64_t count = std::ssize(caption_words(text)) + 2;
  bool before = false;
  if (unicode::first_invalid_byte(text)) return count;
  for (std::size_t at = 0; at < text.size();) {
    const bool mark = unicode::is_punctuation(unicode::next(text, at));
    count += mark && !before ? 1 : 0;
    before = mark;
  }
  return count;
}

RuleSet broken_rules(const RuledCaption& caption, const ClassNames& names,
                     const CountTokens& tokens) {
  RuleSet broken;
  const std::string text(caption.text);
  const std::string lower = lower_ascii(text);
  const bool blank = text.find_first_not_of(" \t\r\n") == text.npos;
  const auto add_if = [&](bool holds, CaptionRule rule) {
    if (holds) broken.add(rule);
  };
  add_if(caption.end == CaptionEnd::refused || is_refusal(lower), CaptionRule::refused);
  add_if(caption.end == CaptionEnd::truncated, CaptionRule::truncated);
  add_if(caption.end == CaptionEnd::thinking || is_thinking(lower), CaptionRule::thinking);
  add_if(blank, CaptionRule::empty);
  if (blank) return broken;
  const Words words = caption_words(text);
  add_if(caption.end == CaptionEnd::truncated && !has_end_mark(text), CaptionRule::unfinished);
  add_if(words.size() < fewest_words, CaptionRule::too_short);
  add_if(tokens(text) > most_tokens, CaptionRule::too_long);
  add_if(is_foreign(text), CaptionRule::foreign_script);
  add_if(is_markdown(text), CaptionRule::markdown);
  add_if(is_markup(text), CaptionRule::markup);
  add_if(is_repetition(text, words), CaptionRule::repetition);
  add_if(is_meta(words), CaptionRule::meta);
  add_if(!names.mentions(text).empty(), CaptionRule::names_class);
  return broken;
}

SetRules broken_rules(std::span<const RuledCaption> captions, const ClassNames& names,
                      const CountTokens& tokens) {
  SetRules rules;
  std::vector<Words> words;
  for (const RuledCaption& caption : captions) {
    rules.broken.push_back(broken_rules(caption, names, tokens));
    words.push_back(caption_words(caption.text));
  }
  add_openings(words, rules.broken);
  add_twins(words, rules);
  return rules;
}

bool is_flagged(const RuleSet& broken) {
  return std::any_of(std::begin(infos), std::end(infos), [&](const CaptionRuleInfo& info) {
    return info.flags && broken.has(info.rule);
  });
}

}  // namespace espalier
