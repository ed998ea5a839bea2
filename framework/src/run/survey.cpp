#include "run/survey.hpp"

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

QueuedTrial queued(const Plan& plan, std::size_t trial) {
  QueuedTrial entry{trial, {}};
  for (StageRef& stage : plan.stages(trial)) entry.stages.push_back(std::move(stage.key));
  return entry;
}

void sort_in(Survey& survey, const Plan& plan, const TrialStore& store, std::size_t trial,
             bool retry_failed) {
  const std::string id = hex(plan.trials()[trial].trial_id);
  TrialRecord record = store.read(id);
  for (std::string& warning : record.warnings) survey.warnings.push_back(std::move(warning));
  if (record.status == TrialStatus::complete) {
    ++survey.complete;
    return;
  }
  if (auto folder = store.elsewhere(id)) {
    survey.elsewhere.emplace_back(trial, std::move(*folder));
    return;
  }
  if (record.status == TrialStatus::failed && !retry_failed) {
    survey.failed.push_back(trial);
    return;
  }
  if (!record.result.trial_id.empty()) {
    survey.attempts[trial] = record.result.attempt;
    ++survey.resumed;
  }
  survey.to_run.push_back(queued(plan, trial));
}

}  // namespace

Survey survey_trials(const Plan& plan, const TrialStore& store, bool retry_failed) {
  Survey survey;
  Problems problems;
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    if (plan.trials()[i].state != TrialState::planned) continue;
    ++survey.planned;
    try {
      sort_in(survey, plan, store, i, retry_failed);
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems.add(problem);
    }
  }
  problems.throw_if_any();
  return survey;
}

}  // namespace espalier
