// The order in which trials are given to workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace espalier {

struct QueuedTrial {
  std::size_t trial = 0;            // index, handed back by next()
  std::vector<std::string> stages;  // keys of what it shares with others, in the order of use
};

// Trials that share stages follow one another. A trial whose stage is being made by a running one
// waits as long as another trial could use the worker better.
class TrialQueue {
 public:
  explicit TrialQueue(const std::vector<QueuedTrial>& trials);

  [[nodiscard]] std::optional<std::size_t> next();
  // The trial is over and, if `made`, its stages can be had without work.
  void done(std::size_t trial, bool made);

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

 private:
  struct Group {  // trials with the same stages
    std::vector<std::string> stages;
    std::vector<std::size_t> trials;  // last one first
  };
  [[nodiscard]] bool would_wait(const Group& group) const;

  std::vector<Group> groups_;
  std::set<std::string> made_;
  std::set<std::pair<std::string, std::size_t>> making_;  // stage, trial
  std::size_t first_ = 0;                                 // groups before it are empty
  std::size_t waiting_ = 0;
};

}  // namespace espalier
