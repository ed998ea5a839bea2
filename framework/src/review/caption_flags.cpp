#include "review/caption_flags.hpp"

#include <espalier/caption/rules.hpp>
#include <numeric>
#include <utility>

namespace espalier {
namespace {

bool tells_of_mistakes(CaptionRule rule) {
  return rule != CaptionRule::boilerplate && rule != CaptionRule::names_class;
}

std::vector<std::string> reasons_of(const ReviewItem& item, const RuleSet& broken) {
  std::vector<std::string> reasons;
  if (!item.trouble.empty()) reasons.push_back("answer: " + item.trouble);
  for (const std::string& mark : item.marks) reasons.push_back("sent to review: " + mark);
  for (const CaptionRuleInfo& info : caption_rules()) {
    const bool said = info.rule == CaptionRule::empty && !item.trouble.empty();
    if (broken.has(info.rule) && tells_of_mistakes(info.rule) && !said) {
      reasons.emplace_back(info.summary);
    }
  }
  return reasons;
}

// The least index of those that a caption is tied to by twins, itself among them.
std::vector<std::size_t> groups_of(const std::vector<std::ptrdiff_t>& twins) {
  std::vector<std::size_t> parent(twins.size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](std::size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (std::size_t i = 0; i < twins.size(); ++i) {
    if (twins[i] < 0) continue;
    const std::size_t a = root(i), b = root(static_cast<std::size_t>(twins[i]));
    parent[std::max(a, b)] = std::min(a, b);
  }
  for (std::size_t i = 0; i < twins.size(); ++i) parent[i] = root(i);
  return parent;
}

}  // namespace

std::vector<CaptionFlags> caption_flags(std::span<const ReviewItem> items) {
  std::vector<RuledCaption> captions;
  for (const ReviewItem& item : items) captions.push_back({.text = item.text});
  const SetRules rules = broken_rules(captions, ClassNames({}));
  const std::vector<std::size_t> groups = groups_of(rules.twin);
  std::vector<CaptionFlags> flags(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    flags[i].reasons = reasons_of(items[i], rules.broken[i]);
    if (rules.twin[i] >= 0) flags[i].alike = static_cast<std::ptrdiff_t>(groups[i]);
  }
  return flags;
}

}  // namespace espalier
