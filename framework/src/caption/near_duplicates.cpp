#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "near_duplicates_internal.hpp"

namespace espalier {
namespace {

using Runs = std::vector<std::uint32_t>;  // ids, ascending; rarer runs have smaller ones

std::vector<std::string> runs_of(const std::vector<CaptionWord>& words) {
  std::vector<std::string> runs;
  constexpr std::size_t length = 3;
  for (std::size_t i = 0; i == 0 || i + length <= words.size(); ++i) {
    std::string run;
    for (std::size_t j = i; j < std::min(i + length, words.size()); ++j)
      run += words[j].lower + ' ';
    runs.push_back(std::move(run));
  }
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  return runs;
}

std::string joined_words(const std::vector<CaptionWord>& words) {
  std::string text;
  for (const CaptionWord& word : words) text += word.lower + ' ';
  return text;
}

std::vector<Runs> numbered(const std::vector<std::vector<std::string>>& texts) {
  std::map<std::string, std::uint32_t> counts;
  for (const auto& runs : texts) {
    for (const std::string& run : runs) ++counts[run];
  }
  std::vector<std::pair<std::uint32_t, const std::string*>> order;
  for (const auto& [run, count] : counts) order.emplace_back(count, &run);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  });
  for (std::size_t i = 0; i < order.size(); ++i) {
    counts[*order[i].second] = static_cast<std::uint32_t>(i);
  }
  std::vector<Runs> all;
  for (const auto& runs : texts) {
    all.emplace_back();
    for (const std::string& run : runs) all.back().push_back(counts[run]);
    std::sort(all.back().begin(), all.back().end());
  }
  return all;
}

std::size_t in_common(const Runs& a, const Runs& b) {
  std::size_t count = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i == *j) ++count;
    const bool step_a = *i <= *j, step_b = *j <= *i;
    i += step_a ? 1 : 0;
    j += step_b ? 1 : 0;
  }
  return count;
}

bool are_alike(const Runs& a, const Runs& b, double least) {
  const auto small = static_cast<double>(std::min(a.size(), b.size()));
  const auto large = static_cast<double>(std::max(a.size(), b.size()));
  if (small <= least * large) return false;
  const auto common = static_cast<double>(in_common(a, b));
  return common > least * (small + large - common);
}

// Two sets that are alike share a run among the first size - ceil(least size) + 1 of each.
std::size_t prefix_length(const Runs& runs, double least) {
  const auto size = static_cast<double>(runs.size());
  return static_cast<std::size_t>(size - std::ceil(least * size)) + 1;
}

}  // namespace

Twins find_twins(const std::vector<std::vector<CaptionWord>>& texts, double least) {
  const auto none = std::ptrdiff_t{-1};
  Twins twins{std::vector(texts.size(), none), std::vector(texts.size(), none)};
  std::vector<std::size_t> firsts;  // of equal texts
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) continue;
    const auto [at, fresh] = known.try_emplace(joined_words(texts[i]), i);
    if (fresh) {
      firsts.push_back(i);
      continue;
    }
    twins.equal[i] = static_cast<std::ptrdiff_t>(at->second);
    if (twins.equal[at->second] < 0) twins.equal[at->second] = static_cast<std::ptrdiff_t>(i);
  }

  std::vector<std::vector<std::string>> runs;
  for (const std::size_t first : firsts) runs.push_back(runs_of(texts[first]));
  const std::vector<Runs> sets = numbered(runs);
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> holders;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::size_t own_prefix = std::min(prefix_length(sets[i], least), sets[i].size());
    for (std::size_t p = 0; p < own_prefix; ++p) {
      for (const std::size_t j : holders[sets[i][p]]) {
        std::ptrdiff_t& mine = twins.near[firsts[i]];
        std::ptrdiff_t& other = twins.near[firsts[j]];
        if ((mine >= 0 && other >= 0) || !are_alike(sets[i], sets[j], least)) continue;
        if (mine < 0) mine = static_cast<std::ptrdiff_t>(firsts[j]);
        if (other < 0) other = static_cast<std::ptrdiff_t>(firsts[i]);
      }
      holders[sets[i][p]].push_back(i);
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (twins.equal[i] < 0) continue;
    const std::size_t first = known.at(joined_words(texts[i]));
    twins.near[i] = twins.near[first];
  }
  return twins;
}

}  // namespace espalier
