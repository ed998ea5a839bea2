#include "run/trial_queue.hpp"

#include <algorithm>
#include <map>

namespace espalier {

TrialQueue::TrialQueue(const std::vector<QueuedTrial>& trials) : waiting_(trials.size()) {
  std::map<std::string, std::size_t> rank;  // of a stage, by first appearance
  std::map<std::vector<std::size_t>, Group> ordered;
  for (const QueuedTrial& trial : trials) {
    std::vector<std::size_t> ranks;
    for (const std::string& stage : trial.stages) {
      ranks.push_back(rank.try_emplace(stage, rank.size()).first->second);
    }
    Group& group = ordered[ranks];
    group.stages = trial.stages;
    group.trials.push_back(trial.trial);
  }
  for (auto& [ranks, group] : ordered) {
    std::reverse(group.trials.begin(), group.trials.end());
    groups_.push_back(std::move(group));
  }
}

bool TrialQueue::would_wait(const Group& group) const {
  return std::any_of(group.stages.begin(), group.stages.end(), [&](const std::string& stage) {
    const auto it = making_.lower_bound({stage, 0});
    return !made_.contains(stage) && it != making_.end() && it->first == stage;
  });
}

std::optional<std::size_t> TrialQueue::next() {
  while (first_ < groups_.size() && groups_[first_].trials.empty()) ++first_;
  if (first_ == groups_.size()) return std::nullopt;
  std::size_t chosen = first_;
  while (chosen < groups_.size() &&
         (groups_[chosen].trials.empty() || would_wait(groups_[chosen]))) {
    ++chosen;
  }
  Group& group = groups_[chosen == groups_.size() ? first_ : chosen];
  const std::size_t trial = group.trials.back();
  group.trials.pop_back();
  --waiting_;
  for (const std::string& stage : group.stages) making_.emplace(stage, trial);
  return trial;
}

void TrialQueue::done(std::size_t trial, bool made) {
  for (auto it = making_.begin(); it != making_.end();) {
    if (it->second != trial) {
      ++it;
      continue;
    }
    if (made) made_.insert(it->first);
    it = making_.erase(it);
  }
}

}  // namespace espalier
