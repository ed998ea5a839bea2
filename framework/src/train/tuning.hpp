// Which of its candidates (experiment/tuning.hpp) a trial takes: that which its validation samples
// like best.
#pragma once

#include "run/trial_request.hpp"
#include <espalier/core/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace espalier {

// Trains each candidate of a trial in tune/<n> of its folder, as the trial would be, and
// takes the one with the best validation top-1, the earlier of equals. One that fails, by a loss
// that is not finite for one, is none. What is known of a trial that was stopped is in tune.json.
class Tuning {
 public:
  // The validation top-1 of a request once it has trained, with its last checkpoint in its folder.
  // Empty: stopped. It looks at no test sample.
  using Validate = std::function<std::optional<double>(const TrialRequest&, const TrialHooks&)>;

  // The references must outlive it.
  Tuning(const TrialRequest& request, const TrialHooks& hooks, std::vector<Json> candidates);

  // Whether there is something to choose.
  [[nodiscard]] bool chooses() const noexcept { return !candidates_.empty(); }

  // False: stopped. Throws Error where every candidate fails.
  bool run(const Validate& validate);

  // Once it has run: the trial with what was chosen, whose training goes on where the candidate's
  // ended.
  [[nodiscard]] TrialRequest chosen() const;
  [[nodiscard]] std::vector<TunedCandidate> candidates() const;
  // Removes what it left on disk.
  void remove_files() const;

 private:
  struct Outcome {
    double top1 = missing;
    std::string failure;
  };

  [[nodiscard]] TrialRequest request_of(std::size_t candidate) const;
  [[nodiscard]] std::size_t best() const;
  bool validate(const Validate& validate);
  void keep_best_alone() const;
  void take_training() const;
  void load();
  void save() const;

  const TrialRequest& request_;
  const TrialHooks& hooks_;
  std::vector<Json> candidates_;
  std::vector<Outcome> outcomes_;  // of those that are known, in their order
};

}  // namespace espalier
