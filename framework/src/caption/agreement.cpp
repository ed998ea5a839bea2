#include <algorithm>
#include <espalier/caption/agreement.hpp>
#include <espalier/caption/attribute_words.hpp>
#include <espalier/caption/words.hpp>
#include <espalier/core/error.hpp>
#include <limits>
#include <map>
#include <set>

namespace espalier {
namespace {

double share_or_nan(std::int64_t some, std::int64_t all) {
  return all == 0 ? std::numeric_limits<double>::quiet_NaN()
                  : static_cast<double>(some) / static_cast<double>(all);
}

using Pairs = std::set<std::pair<std::size_t, std::size_t>>;  // group, word

Pairs pairs_of(std::string_view text) {
  Pairs pairs;
  for (const AttributeWord& word : attribute_words(text)) pairs.emplace(word.group, word.word);
  return pairs;
}

// The words of a text with a space around each: what finds whole words alone.
std::string spaced(std::string_view text) {
  std::string all = " ";
  for (const CaptionWord& word : caption_words(text)) all += word.lower + ' ';
  return all;
}

// What a text says of one attribute.
struct Said {
  bool right = false;
  std::int64_t wrong = 0;
};

Said said_of(const std::string& spaced_text, const std::string& value,
             const std::vector<std::string>& others) {
  Said result{.right = spaced_text.find(spaced(value)) != std::string::npos};
  for (const std::string& other : others) {
    // `pale red` is no mention of `red`.
    const bool within = spaced(value).find(spaced(other)) != std::string::npos && result.right;
    result.wrong += !within && spaced_text.find(spaced(other)) != std::string::npos ? 1 : 0;
  }
  return result;
}

}  // namespace

std::vector<GroupAgreement> class_agreement(std::span<const std::string> texts,
                                            std::span<const std::int64_t> labels) {
  ESPALIER_ASSERT(texts.size() == labels.size(), "one label a text");
  using Counts = std::map<std::size_t, std::int64_t>;             // by word
  std::map<std::pair<std::int64_t, std::size_t>, Counts> counts;  // by class and group
  std::map<std::pair<std::int64_t, std::size_t>, std::int64_t> with_word;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::set<std::size_t> groups;
    for (const auto& [group, word] : pairs_of(texts[i])) {
      ++counts[{labels[i], group}][word];
      groups.insert(group);
    }
    for (const std::size_t group : groups) ++with_word[{labels[i], group}];
  }
  std::vector<GroupAgreement> all;
  for (std::size_t g = 0; g < attribute_groups().size(); ++g) {
    std::int64_t agreeing = 0, captions = 0;
    for (const auto& [key, of_class] : counts) {
      if (key.second != g) continue;
      std::int64_t most = 0;
      for (const auto& [word, count] : of_class) most = std::max(most, count);
      agreeing += most;
      captions += with_word[key];
    }
    all.push_back({attribute_groups()[g].name, captions, share_or_nan(agreeing, captions)});
  }
  return all;
}

FactAgreement fact_agreement(std::span<const std::string> texts, std::span<const Json> facts,
                             const Wording& wording) {
  ESPALIER_ASSERT(texts.size() == facts.size(), "facts of each text");
  std::map<std::string, std::vector<std::pair<std::size_t, Said>>> by_attribute;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!facts[i].is_object()) continue;
    const std::string words = spaced(texts[i]);
    for (const auto& [attribute, value] : facts[i].items()) {
      if (!value.is_string()) continue;
      const auto others = wording.alternatives(attribute, value.get<std::string>());
      if (others.empty()) continue;
      by_attribute[attribute].emplace_back(i, said_of(words, value.get<std::string>(), others));
    }
  }
  FactAgreement result;
  std::int64_t right = 0, values = 0;
  std::set<std::size_t> hallucinating;
  for (const auto& [attribute, list] : by_attribute) {
    const bool any = std::any_of(list.begin(), list.end(), [](const auto& one) {
      return one.second.right || one.second.wrong > 0;
    });
    if (!any) continue;
    result.attributes.push_back(attribute);
    for (const auto& [text, one] : list) {
      ++values;
      right += one.right ? 1 : 0;
      result.mentions += one.wrong + (one.right ? 1 : 0);
      if (one.wrong > 0) hallucinating.insert(text);
    }
  }
  result.precision = share_or_nan(right, result.mentions);
  result.recall = share_or_nan(right, values);
  result.hallucinating = share_or_nan(std::ssize(hallucinating), std::ssize(texts));
  return result;
}

double self_consistency(std::span<const std::vector<std::string>> samples) {
  double sum = 0;
  std::int64_t count = 0;
  for (const std::vector<std::string>& texts : samples) {
    std::vector<Pairs> sets;
    for (const std::string& text : texts) sets.push_back(pairs_of(text));
    for (std::size_t i = 0; i < sets.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (sets[i].empty() && sets[j].empty()) continue;
        std::vector<Pairs::value_type> common;
        std::set_intersection(sets[i].begin(), sets[i].end(), sets[j].begin(), sets[j].end(),
                              std::back_inserter(common));
        const auto all = sets[i].size() + sets[j].size() - common.size();
        sum += static_cast<double>(common.size()) / static_cast<double>(all);
        ++count;
      }
    }
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

}  // namespace espalier
