#include "review/review.hpp"

#include <algorithm>
#include <espalier/core/hash.hpp>
#include <limits>
#include <numeric>
#include <utility>

namespace espalier {
namespace {

constexpr std::pair<ReviewQueue, std::string_view> queues[] = {
    {ReviewQueue::audit, "audit"},       {ReviewQueue::uncertain, "uncertain"},
    {ReviewQueue::flagged, "flagged"},   {ReviewQueue::alike, "alike"},
    {ReviewQueue::of_class, "of_class"}, {ReviewQueue::disagreements, "disagreements"}};

// The same for everybody who reviews this set, whatever order it is in.
std::string drawn(std::string_view what, const std::string& id) {
  return hex(sha256(std::string(what) + ":" + id));
}

// Between 0 and 1.
double share_drawn(const std::string& id) {
  constexpr double all = 4294967296.0;
  return static_cast<double>(std::stoull(drawn("overlap", id).substr(0, 8), nullptr, 16)) / all;
}

// The lower, the more doubtful.
std::pair<double, double> certainty(const ReviewItem& item, const CaptionFlags& flags) {
  return {item.score.value_or(std::numeric_limits<double>::infinity()),
          -static_cast<double>(flags.reasons.size())};
}

std::vector<std::size_t> all_items(std::size_t count) {
  std::vector<std::size_t> items(count);
  std::iota(items.begin(), items.end(), 0);
  return items;
}

bool majority_wrong(const std::vector<const Decision*>& decisions) {
  std::size_t wrong = 0;
  for (const Decision* one : decisions) wrong += *is_wrong(one->verdict) ? 1 : 0;
  return 2 * wrong >= decisions.size();
}

std::vector<const Decision*> judged(const ReviewerViews& views, std::size_t item, bool in_audit) {
  std::vector<const Decision*> found;
  for (const auto& [reviewer, view] : views) {
    const Decision* one = in_audit ? view.audited(item) : view.latest(item);
    if (one != nullptr && is_wrong(one->verdict)) found.push_back(one);
  }
  return found;
}

}  // namespace

std::string_view to_string(ReviewQueue queue) {
  return queues[static_cast<std::size_t>(queue)].second;
}

std::optional<ReviewQueue> review_queue_named(std::string_view name) {
  for (const auto& [queue, known] : queues) {
    if (known == name) return queue;
  }
  return std::nullopt;
}

std::optional<bool> is_wrong(Verdict verdict) {
  if (verdict == Verdict::skip) return std::nullopt;
  return verdict != Verdict::accept;
}

ReviewerView::ReviewerView(std::span<const Decision> standing, std::span<const ReviewItem> items) {
  for (const Decision& one : standing) {
    const auto item = item_of(items, one.id);
    if (!item || caption_hash(items[*item].text) != one.caption) {
      ++stale_;
      continue;
    }
    latest_.insert_or_assign(*item, one);
    if (one.queue == to_string(ReviewQueue::audit)) audited_.insert_or_assign(*item, one);
  }
}

const Decision* ReviewerView::latest(std::size_t item) const {
  const auto found = latest_.find(item);
  return found == latest_.end() ? nullptr : &found->second;
}

const Decision* ReviewerView::audited(std::size_t item) const {
  const auto found = audited_.find(item);
  return found == audited_.end() ? nullptr : &found->second;
}

Review::Review(std::vector<ReviewItem> items, double overlap, std::string measure)
    : items_(std::move(items)), measure_(std::move(measure)) {
  std::sort(items_.begin(), items_.end(),
            [](const ReviewItem& a, const ReviewItem& b) { return a.id < b.id; });
  flags_ = caption_flags(items_);
  std::vector<std::string> draws;
  std::vector<std::pair<double, double>> certain;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    draws.push_back(drawn("audit", items_[i].id));
    certain.push_back(certainty(items_[i], flags_[i]));
    shared_.push_back(share_drawn(items_[i].id) < overlap);
  }
  shuffled_ = all_items(items_.size());
  std::sort(shuffled_.begin(), shuffled_.end(),
            [&](std::size_t a, std::size_t b) { return draws[a] < draws[b]; });
  doubtful_ = shuffled_;
  std::stable_sort(doubtful_.begin(), doubtful_.end(),
                   [&](std::size_t a, std::size_t b) { return certain[a] < certain[b]; });
}

bool Review::is_for(const std::string& reviewer, std::size_t item, bool in_audit,
                    const ReviewerViews& views) const {
  for (const auto& [name, view] : views) {
    const bool decided = (in_audit ? view.audited(item) : view.latest(item)) != nullptr;
    if (decided && (name == reviewer || !shared_[item])) return false;
  }
  return true;
}

bool Review::is_disputed(const std::string& reviewer, std::size_t item,
                         const ReviewerViews& views) const {
  bool right = false, wrong = false;
  for (const auto& [name, view] : views) {
    const Decision* one = view.latest(item);
    if (one == nullptr || !is_wrong(one->verdict)) continue;
    if (name == reviewer) return false;
    (*is_wrong(one->verdict) ? wrong : right) = true;
  }
  return right && wrong;
}

std::vector<std::size_t> Review::to_do(ReviewQueue queue, std::int64_t label,
                                       const std::string& reviewer,
                                       const ReviewerViews& views) const {
  const bool audits = queue == ReviewQueue::audit;
  const auto belongs = [&](std::size_t item) {
    switch (queue) {
      case ReviewQueue::audit:
      case ReviewQueue::uncertain:
        return true;
      case ReviewQueue::flagged:
        return !flags_[item].reasons.empty();
      case ReviewQueue::alike:
        return flags_[item].alike >= 0;
      case ReviewQueue::of_class:
        return items_[item].label == label;
      case ReviewQueue::disagreements:
        return is_disputed(reviewer, item, views);
    }
    return false;
  };
  std::vector<std::size_t> items;
  for (const std::size_t item : audits ? shuffled_ : doubtful_) {
    if (!belongs(item)) continue;
    if (queue == ReviewQueue::disagreements || is_for(reviewer, item, audits, views)) {
      items.push_back(item);
    }
  }
  if (queue == ReviewQueue::alike) {  // those that are alike beside each other
    std::stable_sort(items.begin(), items.end(), [&](std::size_t a, std::size_t b) {
      return flags_[a].alike < flags_[b].alike;
    });
  }
  return items;
}

Review::Audit Review::audit(const ReviewerViews& views) const {
  Audit audit;
  audit.strata = {{"flagged", 0, 0, 0}, {"not flagged", 0, 0, 0}};
  for (std::size_t item = 0; item < items_.size(); ++item) {
    Stratum& stratum = audit.strata[flags_[item].reasons.empty() ? 1 : 0];
    ++stratum.size;
    const auto decisions = judged(views, item, true);
    if (decisions.empty()) {
      for (const auto& [reviewer, view] : views) audit.skipped += view.audited(item) ? 1 : 0;
      continue;
    }
    const bool wrong = majority_wrong(decisions);
    ++stratum.looked_at;
    ++audit.looked_at;
    stratum.wrong += wrong ? 1 : 0;
    audit.wrong += wrong ? 1 : 0;
  }
  return audit;
}

Verdicts Review::audited_verdicts(const ReviewerViews& views) const {
  Verdicts verdicts;
  for (std::size_t item = 0; item < items_.size(); ++item) {
    std::vector<int> one;
    for (const Decision* decision : judged(views, item, true)) {
      one.push_back(*is_wrong(decision->verdict) ? 1 : 0);
    }
    if (one.size() > 1) verdicts.push_back(std::move(one));
  }
  return verdicts;
}

std::vector<std::pair<int, int>> Review::audited_pairs(const ReviewerView& first,
                                                       const ReviewerView& second) const {
  std::vector<std::pair<int, int>> pairs;
  for (std::size_t item = 0; item < items_.size(); ++item) {
    const Decision *one = first.audited(item), *other = second.audited(item);
    if (one == nullptr || other == nullptr) continue;
    const std::optional<bool> a = is_wrong(one->verdict), b = is_wrong(other->verdict);
    if (a && b) pairs.emplace_back(*a ? 1 : 0, *b ? 1 : 0);
  }
  return pairs;
}

std::optional<double> Review::score_auc(const ReviewerViews& views) const {
  std::vector<double> wrong, right;
  for (std::size_t item = 0; item < items_.size(); ++item) {
    const auto decisions = judged(views, item, true);
    if (decisions.empty() || !items_[item].score) continue;
    (majority_wrong(decisions) ? wrong : right).push_back(*items_[item].score);
  }
  return auc(wrong, right);
}

std::vector<std::optional<Decision>> Review::outcomes(const ReviewerViews& views) const {
  std::vector<std::optional<Decision>> outcomes(items_.size());
  for (std::size_t item = 0; item < items_.size(); ++item) {
    std::vector<const Decision*> decisions = judged(views, item, false);
    if (decisions.empty()) continue;
    const bool wrong = majority_wrong(decisions);
    std::erase_if(decisions, [&](const Decision* one) { return *is_wrong(one->verdict) != wrong; });
    outcomes[item] =
        **std::max_element(decisions.begin(), decisions.end(),
                           [](const Decision* a, const Decision* b) { return a->time < b->time; });
  }
  return outcomes;
}

ReviewerViews views_in(const std::filesystem::path& folder, std::span<const ReviewItem> items) {
  ReviewerViews views;
  for (const std::string& reviewer : reviewers_in(folder)) {
    views.emplace(reviewer, ReviewerView(decisions_of(folder, reviewer), items));
  }
  return views;
}

std::optional<std::size_t> item_of(std::span<const ReviewItem> items, std::string_view id) {
  const auto found = std::lower_bound(
      items.begin(), items.end(), id,
      [](const ReviewItem& item, std::string_view name) { return item.id < name; });
  if (found == items.end() || found->id != id) return std::nullopt;
  return static_cast<std::size_t>(found - items.begin());
}

}  // namespace espalier
