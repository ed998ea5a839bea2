// Rules that a caption breaks, told by the texts of a set alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/caption/class_names.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

enum class CaptionRule : std::uint8_t {
  empty,           // no text
  refused,         // the model would not describe the picture
  truncated,       // it ends where the room for it ended
  unfinished,      // and without an end mark
  thinking,        // reasoning stands where the caption should
  too_short,       // less than 5 words
  too_long,        // more than 77 tokens, which is what CLIP reads
  foreign_script,  // more than a fifth of its letters are not Latin
  markdown,        // headings, lists, emphasis, code, links
  markup,          // tags of HTML, control characters, marks of direction
  repetition,      // three words in a row more than 3 times, or 2.4 times smaller when compressed
  meta,            // it speaks of text, a watermark or itself
  boilerplate,     // begins with the two words that more than a tenth of the captions begin with
  duplicate,       // has the words of another picture's caption
  near_duplicate,  // shares more than 0.8 of its runs of three words with another picture's
  names_class,     // names a class
};

struct CaptionRuleInfo {
  CaptionRule rule;
  std::string_view name;
  std::string_view summary;
  bool of_set;  // told by all captions of the set
  bool flags;   // counts in flagged_share()
};
// All of them, in the order of the enumeration.
[[nodiscard]] std::span<const CaptionRuleInfo> caption_rules();
[[nodiscard]] const CaptionRuleInfo* find_caption_rule(std::string_view name);

// What became of a question, as far as rules look at it.
enum class CaptionEnd { whole, truncated, refused, thinking, none };

struct RuledCaption {
  std::string_view text;
  CaptionEnd end = CaptionEnd::whole;
};

class RuleSet {
 public:
  void add(CaptionRule rule) { bits_ |= bit(rule); }
  [[nodiscard]] bool has(CaptionRule rule) const { return (bits_ & bit(rule)) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  bool operator==(const RuleSet&) const = default;

 private:
  static std::uint32_t bit(CaptionRule rule) { return 1u << static_cast<unsigned>(rule); }
  std::uint32_t bits_ = 0;
};

// Tokens of a text, begin and end included, as the text encoder counts them.
using CountTokens = std::function<std::int64_t(const std::string& text)>;
// Words and punctuation marks, and two: no more than CLIP's tokenizer finds.
[[nodiscard]] std::int64_t least_tokens(const std::string& text);

// The rules that look at one caption.
[[nodiscard]] RuleSet broken_rules(const RuledCaption& caption, const ClassNames& names,
                                   const CountTokens& tokens = least_tokens);

struct SetRules {
  std::vector<RuleSet> broken;       // by caption
  std::vector<std::ptrdiff_t> twin;  // of near_duplicate, else of duplicate; -1 for none
};
// All rules, over a set.
[[nodiscard]] SetRules broken_rules(std::span<const RuledCaption> captions, const ClassNames& names,
                                    const CountTokens& tokens = least_tokens);

// Whether a caption breaks a rule that keeps it from being one: any of those that look at it alone,
// but for names of classes.
[[nodiscard]] bool is_flagged(const RuleSet& broken);

}  // namespace espalier
