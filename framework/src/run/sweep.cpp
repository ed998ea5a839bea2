#include "run/sweep.hpp"

#include "plugin/used_components.hpp"
#include "results/sweep_file.hpp"
#include "run/run_lock.hpp"
#include <espalier/core/error.hpp>
#include <system_error>

namespace espalier {
namespace {

[[noreturn]] void cannot_write(const std::filesystem::path& path, const std::error_code& why) {
  throw Error(
      {.what = "cannot write to the results folder",
       .where = path.string(),
       .expected = "a folder that you may write to, with room in it",
       .found = why.message(),
       .fix = "make room, or choose another with --results DIR; nothing that is done is lost"});
}

// The libraries of a trial's components, as they were when the sweep began.
class PluginInputs {
 public:
  explicit PluginInputs(const Catalog& catalog) : catalog_(catalog) {
    for (const ComponentInfo& component : catalog.all()) {
      if (!component.file.empty()) (void)hasher_.content(component.file);
    }
  }

  void add(TrialRequest& request) const {
    for (const ComponentInfo* component : used_components(request.config, catalog_)) {
      if (component->file.empty()) continue;
      request.inputs.push_back({component->kind + "/" + component->name, component->file,
                                hasher_.known(component->file).value()});
    }
  }

 private:
  const Catalog& catalog_;
  ContentHasher hasher_;
};

TrialRequest request_for(const Plan& plan, const TrialStore& store, const Survey& survey,
                         const PluginInputs& plugins, std::size_t trial) {
  const PlannedTrial& planned = plan.trials()[trial];
  TrialRequest request;
  request.trial_id = hex(planned.trial_id);
  request.combo_id = hex(planned.combo_id);
  request.config = plan.config(trial);
  request.stages = plan.stages(trial);
  request.folder = store.folder(request.trial_id);
  request.cache = store.cache();
  request.inputs = plan.inputs(trial);
  plugins.add(request);
  const auto earlier = survey.attempts.find(trial);
  request.attempt = earlier == survey.attempts.end() ? 1 : earlier->second + 1;
  return request;
}

}  // namespace

SweepResult run_sweep(const Plan& plan, const SweepOptions& options,
                      const SweepAnnouncement& announce) try {
  const std::filesystem::path results = std::filesystem::absolute(options.results);
  const TrialStore store(results, plan.name());
  std::filesystem::create_directories(store.experiment());
  const RunLock lock(store.experiment());
  plan.write(store.experiment() / "plan.jsonl");

  const Survey survey = survey_trials(plan, store, options.retry_failed);
  for (const auto& [trial, folder] : survey.elsewhere) {
    store.adopt(hex(plan.trials()[trial].trial_id), folder);
  }
  PluginInputs plugins(plan.catalog());
  SchedulerOptions scheduling;
  scheduling.worker = options.worker;
  scheduling.worker.lock = lock.descriptor();
  scheduling.workers = options.workers;
  scheduling.limits = options.limits;
  scheduling.grace = options.grace;
  scheduling.request = [&](std::size_t trial) -> std::optional<TrialRequest> {
    const std::string id = hex(plan.trials()[trial].trial_id);
    if (const auto found = store.elsewhere(id)) {
      store.adopt(id, found->folder);
      return std::nullopt;
    }
    TrialRequest request = request_for(plan, store, survey, plugins, trial);
    request.cache_limit = options.cache_limit;
    request.activation_limit = options.activation_limit;
    return request;
  };

  SweepObserver& observer = announce(survey);
  SweepResult result;
  if (!survey.to_run.empty()) result.end = run_trials(scheduling, survey.to_run, observer);
  if (result.end.storage || result.end.at_once) return result;
  result.table = SweepTable::read(store.experiment(), false, store.hasher());
  store.hasher().save();
  write_sweep(*result.table);
  return result;
} catch (const std::filesystem::filesystem_error& error) {
  cannot_write(error.path1(), error.code());
}

}  // namespace espalier
