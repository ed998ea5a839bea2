// What workers are asked to do for the trials of a plan.
#pragma once

#include "experiment/plan.hpp"
#include "run/trial_request.hpp"
#include "run/trial_store.hpp"
#include <cstddef>
#include <espalier/core/content.hpp>

namespace espalier {

class TrialRequests {
 public:
  // Remembers the libraries of all components as they are now. The references must outlive it.
  TrialRequests(const Plan& plan, const TrialStore& store);

  // For a trial that has a name, as its first attempt and without limits.
  [[nodiscard]] TrialRequest of(std::size_t trial) const;

 private:
  void add_plugins(TrialRequest& request) const;

  const Plan& plan_;
  const TrialStore& store_;
  ContentHasher hasher_;
};

}  // namespace espalier
