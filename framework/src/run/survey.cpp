#include "run/survey.hpp"

#include "plugin/build_id.hpp"
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

QueuedTrial queued(const Plan& plan, std::size_t trial) {
  QueuedTrial entry{trial, {}};
  for (StageRef& stage : plan.stages(trial)) entry.stages.push_back(std::move(stage.key));
  return entry;
}

// Trials that count as done although a library that made them was another one.
class OtherBuilds {
 public:
  explicit OtherBuilds(const Catalog& catalog) {
    for (const ComponentInfo& component : catalog.all()) {
      if (component.file.empty()) continue;
      current_[component.kind + "/" + component.name] = build_id(component.file);
    }
  }

  void note(const Builds& builds) {
    for (const auto& [component, build] : builds) {
      const auto now = current_.find(component);
      if (now != current_.end() && now->second != build) ++trials_[{component, build}];
    }
  }

  [[nodiscard]] std::vector<std::string> warnings() const {
    std::vector<std::string> lines;
    for (const auto& [made_by, trials] : trials_) {
      const auto& [component, build] = made_by;
      lines.push_back(std::to_string(trials) +
                      (trials == 1 ? " trial that counts" : " trials that count") +
                      " as done had another build of " + component + ": " + short_build(build) +
                      ", now " + short_build(current_.at(component)) +
                      "; if it gives other results, raise its version and run again");
    }
    return lines;
  }

 private:
  Builds current_;
  std::map<std::pair<std::string, std::string>, std::size_t> trials_;
};

void sort_in(Survey& survey, const Plan& plan, const TrialStore& store, OtherBuilds& builds,
             std::size_t trial, bool retry_failed) {
  const std::string id = hex(plan.trials()[trial].trial_id);
  TrialRecord record = store.read(id);
  for (std::string& warning : record.warnings) survey.warnings.push_back(std::move(warning));
  if (record.status == TrialStatus::complete) {
    ++survey.complete;
    return builds.note(record.builds);
  }
  if (auto folder = store.elsewhere(id)) {
    builds.note(read_trial(*folder, store.hasher()).builds);
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
  OtherBuilds builds(plan.catalog());
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    if (plan.trials()[i].state != TrialState::planned) continue;
    ++survey.planned;
    try {
      sort_in(survey, plan, store, builds, i, retry_failed);
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems.add(problem);
    }
  }
  problems.throw_if_any();
  for (std::string& line : builds.warnings()) survey.warnings.push_back(std::move(line));
  return survey;
}

}  // namespace espalier
