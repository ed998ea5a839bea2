#include "run/survey.hpp"

#include "plugin/build_id.hpp"
#include <espalier/core/error.hpp>
#include <unordered_set>

namespace espalier {
namespace {

QueuedTrial queued(const Plan& plan, std::size_t trial) {
  QueuedTrial entry{trial, {}};
  for (const StageRef& stage : plan.stages(trial)) entry.stages.push_back(stage.key);
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

class Surveyor {
 public:
  Surveyor(const Plan& plan, const TrialStore& store, bool retry_failed)
      : plan_(plan),
        store_(store),
        retry_failed_(retry_failed),
        begun_(store.begun()),
        begun_elsewhere_(store.begun_elsewhere()),
        builds_(plan.catalog()) {}

  void sort_in(std::size_t trial) {
    const std::string id = hex(plan_.trials()[trial].trial_id);
    TrialRecord record = begun_.contains(id) ? store_.read(id) : TrialRecord{};
    for (std::string& warning : record.warnings) survey_.warnings.push_back(std::move(warning));
    ++survey_.planned;
    if (record.status == TrialStatus::complete) {
      ++survey_.complete;
      return builds_.note(record.builds);
    }
    if (auto found = store_.elsewhere(id, begun_elsewhere_)) {
      builds_.note(found->record.builds);
      survey_.elsewhere.emplace_back(trial, std::move(found->folder));
      return;
    }
    if (record.status == TrialStatus::failed && !retry_failed_) {
      survey_.failed.push_back(trial);
      return;
    }
    if (!record.result.trial_id.empty()) {
      survey_.attempts[trial] = record.result.attempt;
      ++survey_.resumed;
    }
    survey_.to_run.push_back(queued(plan_, trial));
  }

  Survey finish() {
    for (std::string& line : builds_.warnings()) survey_.warnings.push_back(std::move(line));
    return std::move(survey_);
  }

 private:
  const Plan& plan_;
  const TrialStore& store_;
  const bool retry_failed_;
  const std::unordered_set<std::string> begun_;
  const TrialStore::Places begun_elsewhere_;
  OtherBuilds builds_;
  Survey survey_;
};

}  // namespace

Survey survey_trials(const Plan& plan, const TrialStore& store, bool retry_failed) {
  Surveyor surveyor(plan, store, retry_failed);
  Problems problems;
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    if (plan.trials()[i].state != TrialState::planned) continue;
    try {
      surveyor.sort_in(i);
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems.add(problem);
    }
  }
  problems.throw_if_any();
  return surveyor.finish();
}

}  // namespace espalier
