#include "review/caption_flags.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace espalier {
namespace {

constexpr std::size_t fewest_words = 5;
constexpr std::size_t most_repeats = 3;
constexpr double near_share = 0.8;
// Three words in a row that more captions have tell none apart, and comparing all of them would
// take the square of their number.
constexpr std::size_t most_sharing = 200;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (letter) {
      words.back() += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// How often each three words in a row come.
std::map<std::string, std::size_t> triples_of(const std::vector<std::string>& words) {
  std::map<std::string, std::size_t> triples;
  for (std::size_t i = 2; i < words.size(); ++i) {
    ++triples[words[i - 2] + ' ' + words[i - 1] + ' ' + words[i]];
  }
  return triples;
}

class Comparison {
 public:
  explicit Comparison(std::span<const ReviewItem> items) : flags_(items.size()) {
    for (std::size_t i = 0; i < flags_.size(); ++i) look_at(items[i], i);
    for (std::size_t i = 0; i < flags_.size(); ++i) find_alike(i);
  }
  std::vector<CaptionFlags> take() { return std::move(flags_); }

 private:
  void look_at(const ReviewItem& caption, std::size_t i) {
    std::vector<std::string>& reasons = flags_[i].reasons;
    if (!caption.trouble.empty()) reasons.push_back("answer: " + caption.trouble);
    const std::vector<std::string> words = words_of(caption.text);
    if (!words.empty() && words.size() < fewest_words) reasons.emplace_back("fewer than 5 words");
    triples_.push_back(triples_of(words));
    bool repeats = false;
    for (const auto& [triple, count] : triples_.back()) {
      repeats = repeats || count > most_repeats;
      having_[triple].push_back(i);
    }
    if (repeats) reasons.emplace_back("says the same again and again");
    if (!caption.text.empty()) saying_[caption.text].push_back(i);
    texts_.push_back(&caption.text);
  }

  void find_alike(std::size_t i) {
    std::unordered_map<std::size_t, std::size_t> shared;
    for (const auto& [triple, count] : triples_[i]) {
      const std::vector<std::size_t>& others = having_.at(triple);
      if (others.size() > most_sharing) continue;
      for (const std::size_t other : others) ++shared[other];
    }
    std::vector<std::size_t>& alike = flags_[i].alike;
    for (const auto& [other, both] : shared) {
      const std::size_t either = triples_[i].size() + triples_[other].size() - both;
      if (static_cast<double>(both) > near_share * static_cast<double>(either)) {
        alike.push_back(other);
      }
    }
    bool same = false;
    if (const auto found = saying_.find(*texts_[i]); found != saying_.end()) {
      alike.insert(alike.end(), found->second.begin(), found->second.end());
      same = found->second.size() > 1;
    }
    std::sort(alike.begin(), alike.end());
    alike.erase(std::unique(alike.begin(), alike.end()), alike.end());
    std::erase(alike, i);
    if (alike.empty()) return;
    flags_[i].reasons.emplace_back(same ? "another picture has the same caption"
                                        : "another picture has nearly the same caption");
  }

  std::vector<CaptionFlags> flags_;
  std::vector<std::map<std::string, std::size_t>> triples_;
  std::unordered_map<std::string, std::vector<std::size_t>> having_;
  std::unordered_map<std::string, std::vector<std::size_t>> saying_;
  std::vector<const std::string*> texts_;
};

}  // namespace

std::vector<CaptionFlags> caption_flags(std::span<const ReviewItem> items) {
  return Comparison(items).take();
}

}  // namespace espalier
