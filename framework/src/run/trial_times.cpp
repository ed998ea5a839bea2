#include "run/trial_times.hpp"

#include "experiment/tuning.hpp"
#include "results/result_file.hpp"
#include "run/run_lock.hpp"
#include "run/trial_requests.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/process.hpp>
#include <fstream>
#include <set>
#include <utility>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr int times_format = 2;
constexpr std::size_t largest_times = std::size_t{64} << 20;
constexpr std::int64_t pilot_epochs = 4;

// Stages whose results are kept between trials, by the cache or by the worker; and the trainings
// of what was not chosen.
bool is_apart(const std::string& stage) {
  return stage == "dataset" || stage == "features" || stage == "activations" || stage == "tune";
}

std::string cpu_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 1);
  }
  return {};
}

// The first trial of each combination that is not known.
std::vector<QueuedTrial> unknown(const Plan& plan, const TrialTimes& times) {
  std::vector<QueuedTrial> pilots;
  std::set<Digest> seen;
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    const PlannedTrial& trial = plan.trials()[i];
    if (trial.state != TrialState::planned || !seen.insert(trial.combo_id).second) continue;
    if (times.find(hex(trial.combo_id)) != nullptr) continue;
    QueuedTrial pilot{i, {}};
    for (const StageRef& stage : plan.stages(i)) pilot.stages.push_back(stage.key);
    pilots.push_back(std::move(pilot));
  }
  return pilots;
}

// The last moment of an epoch.
double wall_of(const TrialResult& pilot, std::int64_t epoch) {
  double wall = missing;
  for (const EpochMetrics& row : pilot.metrics) {
    if (row.epoch == epoch) wall = row.wall_s;
  }
  return wall;
}

// The first epoch finds the processor's caches cold.
double epoch_seconds(const TrialResult& pilot, std::int64_t last) {
  if (last < 1) return 0;
  const std::int64_t from = last > 1 ? 1 : 0;
  const double seconds =
      (wall_of(pilot, last) - wall_of(pilot, from)) / static_cast<double>(last - from);
  return std::isfinite(seconds) ? std::max(seconds, 0.0) : 0;
}

}  // namespace

TrialTime time_of(const TrialResult& pilot) {
  std::int64_t last = 0;
  for (const EpochMetrics& row : pilot.metrics) last = std::max<std::int64_t>(last, row.epoch);
  TrialTime time;
  time.epoch = epoch_seconds(pilot, last);
  time.fixed = pilot.total_seconds - time.epoch * static_cast<double>(last);
  for (const StageTime& stage : pilot.timing) {
    if (is_apart(stage.stage)) time.fixed -= stage.seconds;
  }
  time.fixed = std::max(time.fixed, 0.0);
  time.shared = pilot.prefix_flops * pilot.forward_seconds / pilot.forward_flops;
  if (!std::isfinite(time.shared)) time.shared = missing;
  time.peak_bytes = pilot.peak_rss_bytes;
  time.graphs = pilot.candidates.size();
  return time;
}

double seconds_of(const TrialTime& time, const Json& config) {
  const Json& train = config.at("train");
  const auto epochs = [](const Json& of) { return of.at("epochs").get<double>(); };
  if (config.at("head").at("use") == "zero_shot") return time.fixed;
  const std::vector<Json> candidates = trial_candidates(config, false, true);
  if (candidates.empty() && time.graphs == 0) return time.fixed + time.epoch * epochs(train);
  double seconds = candidates.empty() ? time.fixed + time.epoch * epochs(train) : 0;
  for (const Json& candidate : candidates) {
    seconds += time.fixed + time.epoch * epochs(with_candidate(config, candidate).at("train"));
  }
  return seconds * static_cast<double>(std::max<std::size_t>(time.graphs, 1)) + time.fixed;
}

TrialTimes::TrialTimes(fs::path file, std::string machine)
    : file_(std::move(file)), machine_(std::move(machine)) {
  try {
    if (!fs::exists(file_)) return;
    const Json read = parse_json(read_own_file(file_, largest_times), file_.string());
    if (read.value("format", 0) != times_format || read.value("machine", "") != machine_) return;
    for (const auto& [combo, of] : read.at("times").items()) {
      const Json& shared = of.at("shared");
      times_[combo] = {.fixed = of.at("fixed").get<double>(),
                       .epoch = of.at("epoch").get<double>(),
                       .shared = shared.is_null() ? missing : shared.get<double>(),
                       .peak_bytes = of.at("peak_bytes").get<std::int64_t>(),
                       .graphs = of.at("graphs").get<std::size_t>()};
    }
  } catch (const std::exception&) {
    times_.clear();  // measured again
  }
}

const TrialTime* TrialTimes::find(const std::string& combo_id) const {
  const auto found = times_.find(combo_id);
  return found == times_.end() ? nullptr : &found->second;
}

void TrialTimes::save() const try {
  Json times = Json::object();
  for (const auto& [combo, time] : times_) {
    times[combo] = {{"fixed", time.fixed},
                    {"epoch", time.epoch},
                    {"shared", std::isnan(time.shared) ? Json() : Json(time.shared)},
                    {"peak_bytes", time.peak_bytes},
                    {"graphs", time.graphs}};
  }
  fs::create_directories(file_.parent_path());
  write_file(file_, Json{{"format", times_format}, {"machine", machine_}, {"times", times}}.dump());
} catch (const std::exception&) {
  // A folder that cannot be written: measured again.
}

std::string machine_name(std::size_t workers, int threads) {
  return host_name() + "," + cpu_name() + ", " + std::to_string(usable_cores()) + " cores, " +
         std::to_string(workers) + " workers, " + std::to_string(threads) + " threads";
}

SweepEnd measure_times(const Plan& plan, const SweepOptions& options, SweepObserver& observer,
                       TrialTimes& times) {
  const std::vector<QueuedTrial> pilots = unknown(plan, times);
  if (pilots.empty()) return {};
  const TrialStore store(fs::absolute(options.results), plan.name());
  const fs::path folder = store.cache() / "pilots" / plan.name();
  fs::create_directories(folder);
  const RunLock lock(folder);
  const TrialRequests requests(plan, store);
  SchedulerOptions scheduling;
  scheduling.worker = options.worker;
  scheduling.worker.lock = lock.descriptor();
  scheduling.workers = options.workers;
  scheduling.grace = options.grace;
  scheduling.request = [&](std::size_t trial) -> std::optional<TrialRequest> {
    TrialRequest request = requests.of(trial);
    request.folder = folder / request.trial_id;
    fs::remove_all(request.folder);
    request.activation_limit = options.activation_limit;
    Json& epochs = request.config["train"]["epochs"];
    epochs = std::min(epochs.get<std::int64_t>(), pilot_epochs);
    request.config.erase("tune");
    return request;
  };
  const SweepEnd end = run_trials(scheduling, pilots, observer);
  for (const QueuedTrial& pilot : pilots) {
    const PlannedTrial& trial = plan.trials()[pilot.trial];
    const fs::path file = folder / hex(trial.trial_id) / "result.h5";
    if (fs::exists(file)) times.add(hex(trial.combo_id), time_of(read_result(file)));
  }
  times.save();
  fs::remove_all(folder);
  return end;
}

}  // namespace espalier
