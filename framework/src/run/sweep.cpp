#include "run/sweep.hpp"

#include "results/sweep_file.hpp"
#include "run/run_lock.hpp"
#include "run/trial_requests.hpp"
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
  const TrialRequests requests(plan, store);
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
    TrialRequest request = requests.of(trial);
    const auto earlier = survey.attempts.find(trial);
    if (earlier != survey.attempts.end()) request.attempt = earlier->second + 1;
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
