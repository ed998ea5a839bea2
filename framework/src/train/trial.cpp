#include "train/trial.hpp"

#include "results/trial_fields.hpp"
#include "train/trial_run.hpp"
#include "train/tuning.hpp"

namespace espalier {
namespace {

std::optional<TrialResult> run_tuned(Tuning& tuning, const TrialRequest& request,
                                     const TrialHooks& hooks) {
  const Clock::time_point start = Clock::now();
  const auto validate = [](const TrialRequest& candidate, const TrialHooks& its_hooks) {
    return TrialRun(candidate, its_hooks).validation_top1();
  };
  if (!tuning.run(validate)) return std::nullopt;
  const double seconds = seconds_since(start);
  const TrialRequest chosen = tuning.chosen();
  std::optional<TrialResult> result = TrialRun(chosen, hooks).run();
  if (!result) return std::nullopt;
  result->config = request.config;
  result->candidates = tuning.candidates();
  result->tuned = tuned_text(result->candidates);
  result->timing.push_back({.stage = "tune", .seconds = seconds});
  result->total_seconds += seconds;
  tuning.remove_files();
  return result;
}

}  // namespace

std::optional<TrialResult> run_trial(const TrialRequest& request, const TrialHooks& hooks) {
  Tuning tuning(request, hooks, TrialRun(request, hooks).candidates());
  if (tuning.chooses()) return run_tuned(tuning, request, hooks);
  return TrialRun(request, hooks).run();
}

}  // namespace espalier
