#include <unistd.h>

#include "experiment/plan.hpp"
#include "results/report.hpp"
#include "run/progress.hpp"
#include "run/sweep.hpp"
#include <algorithm>
#include <chrono>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <iostream>
#include <optional>

#include "make_plan.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"
#include "worker_command.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Folders = std::vector<std::string>;

po::options_description run_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("workers", po::value<std::string>()->default_value("auto")->value_name("N|auto"),
      "worker processes; auto: as many as there are cores for, or one that computes on a GPU");
  add("threads", po::value<int>()->default_value(1)->value_name("N"),
      "threads of each; more can change the last bits of a result");
  add("device", po::value<std::string>()->default_value("cpu")->value_name("cpu|cuda|auto"),
      "where encoders compute");
  add("results", po::value<std::string>()->default_value("results")->value_name("DIR"),
      "where results are kept");
  add("cache-limit", po::value<std::string>()->default_value("none")->value_name("SIZE|none"),
      "features are not stored where the cache would be larger, such as 20G; each trial then "
      "computes them");
  add("activation-limit",
      po::value<std::string>()->default_value(default_activation_limit)->value_name("SIZE|none"),
      "what enters the trained layers of an encoder is not stored where it would be larger: it is "
      "computed again in every epoch, with the same numbers");
  add("plugins", po::value<Folders>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("by", po::value<std::string>()->default_value("", "")->value_name("AXIS"),
      "order the table at the end by an axis; best validation first otherwise");
  add("grace", po::value<int>()->default_value(20)->value_name("SECONDS"),
      "what a worker may take to stop after Ctrl-C or SIGTERM before it is killed");
  add("retry-failed", "run trials again that failed");
  add("dry-run", "say what would be run, and run nothing");
  add("help", "show this");
  return options;
}

// `cpu`, or the GPU that it is, such as `cuda:0`; empty where it cannot be used, which is said. The
// worker is asked, for the host knows nothing of LibTorch.
std::string device_in_use(const std::string& device) {
  if (device == "cpu") return device;
  const auto limit = std::chrono::seconds(120);
  const ProcessResult answer =
      run_process({worker_program().string(), "check-device", device}, limit);
  std::cerr << answer.err;
  return answer.ok() ? answer.out.substr(0, answer.out.find('\n')) : "";
}

// Each has a copy of the weights on a GPU, and a context that takes hundreds of megabytes there.
std::size_t workers_on(const std::string& device, const std::string& asked, int threads) {
  return asked == "auto" && device != "cpu" ? 1 : worker_count(asked, threads);
}

TrialLimits limits_of(const ExperimentSource& source) {
  return {source.limits.value("seconds", 0.0),
          static_cast<std::int64_t>(source.limits.value("megabytes", 0.0) * 1e6)};
}

std::string label_of(const Plan& plan, std::size_t trial) {
  std::string text;
  const Json values = plan.axis_values(trial);
  for (const auto& [key, value] : values.items()) {
    text += (text.empty() ? "" : " ") + key + "=" +
            printable(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text.empty() ? hex(plan.trials()[trial].trial_id).substr(0, 12) : text;
}

void announce(const Plan& plan, const Survey& survey, std::size_t workers, int threads) {
  for (const std::string& warning : survey.warnings)
    std::cerr << "warning: " << printable_lines(warning) << "\n";
  for (const std::string& told : told_left_out(plan)) std::cerr << told << "\n";
  std::cerr << plan.name() << ": " << survey.planned << " trials, " << survey.complete << " done";
  if (!survey.elsewhere.empty()) {
    std::cerr << ", " << survey.elsewhere.size() << " done in other experiments";
  }
  if (!survey.failed.empty()) {
    std::cerr << ", " << survey.failed.size() << " failed before (--retry-failed runs them again)";
  }
  std::cerr << ", " << survey.to_run.size() << " to run";
  if (survey.resumed > 0) std::cerr << " (" << survey.resumed << " of them begun before)";
  if (!survey.to_run.empty()) {
    const std::size_t busy = std::min(workers, survey.to_run.size());
    std::cerr << " on " << busy << (busy == 1 ? " worker" : " workers") << " with " << threads
              << (threads == 1 ? " thread" : " threads");
  }
  std::cerr << std::endl;
}

bool all_complete(const SweepTable& table) {
  return std::all_of(table.records.begin(), table.records.end(), [](const TrialRecord& record) {
    return record.status == TrialStatus::complete;
  });
}

void check_axis(const Plan& plan, const TableView& view) {
  std::vector<std::string> axes;
  for (const Axis& axis : plan.axes()) axes.push_back(axis.key);
  check_view(view, axes);
}

int conclude(const SweepResult& result, const std::filesystem::path& folder,
             const TableView& view) {
  if (result.end.storage) throw Error(*result.end.storage);
  if (result.table) {
    std::cout << combinations_text(*result.table, view) << "\n"
              << (folder / "sweep.h5").string() << "\n"
              << (folder / "trials.csv").string() << std::endl;
    const std::string failed = failed_trials(*result.table);
    if (!failed.empty()) std::cerr << "\nfailed:\n" << failed;
    if (result.end.signal == 0) return all_complete(*result.table) ? 0 : 1;
  }
  std::cerr << "stopped; the same command goes on from here" << std::endl;
  return 128 + result.end.signal;
}

void print_run_help(const po::options_description& options) {
  std::cout
      << "usage: espalier run EXPERIMENT.yaml [OVERRIDE...] [OPTIONS]\n\n"
         "Runs the trials of an experiment that are not done yet. The same command goes on\n"
         "where a sweep was stopped. An override is key=value, key=a,b,c to sweep it,\n"
         "+key=value to add and ~key to remove.\n\n"
      << options
      << "\nexample:\n  espalier run experiments/quickstart.yaml graph.tau=0.5,0.7 --workers 2\n"
         "\nexit code: 0 every planned trial is done, 1 some are not, 2 a mistake or no room,\n"
         "130 and 143 stopped by Ctrl-C and SIGTERM\n";
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  const po::options_description options = run_options();
  po::options_description all;
  all.add(options).add_options()("words", po::value<std::vector<std::string>>());
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("words", -1));
  if (given.count("help") > 0) return print_run_help(options), 0;
  const auto words = experiment_words(given, "run");
  const std::filesystem::path results = given["results"].as<std::string>();
  const auto& plugins = given["plugins"].as<Folders>();
  const int threads = given["threads"].as<int>();
  if (threads < 1) wrong_option("threads", "a number from 1", std::to_string(threads));
  const int grace = given["grace"].as<int>();
  if (grace < 0) wrong_option("grace", "a number from 0", std::to_string(grace));
  const std::string device = given["device"].as<std::string>();
  const std::string in_use = device_in_use(device);
  if (in_use.empty()) return 2;
  const std::int64_t cache_limit = limit_of(given, "cache-limit");
  const std::int64_t activation_limit = limit_of(given, "activation-limit");

  const ExperimentSource source =
      ExperimentSource::read(words[0], {words.begin() + 1, words.end()});
  const Plan plan = make_plan({words, plugins, results, given.count("dry-run") == 0}, source);

  TableView view;
  view.by = given["by"].as<std::string>();
  check_axis(plan, view);

  SweepOptions sweep;
  sweep.results = results;
  sweep.workers = workers_on(in_use, given["workers"].as<std::string>(), threads);
  sweep.limits = limits_of(source);
  sweep.grace = std::chrono::seconds(grace);
  sweep.cache_limit = cache_limit;
  sweep.activation_limit = activation_limit;
  sweep.retry_failed = given.count("retry-failed") > 0;
  if (given.count("dry-run") > 0) {
    const TrialStore store(results, plan.name());
    announce(plan, survey_trials(plan, store, sweep.retry_failed), sweep.workers, threads);
    return 0;
  }
  sweep.worker = worker_command(plugins, sweep.workers, threads, device);
  std::optional<SweepProgress> progress;
  const SweepResult result = run_sweep(plan, sweep, [&](const Survey& survey) -> SweepObserver& {
    announce(plan, survey, sweep.workers, threads);
    return progress.emplace(
        ProgressOptions{.out = stderr,
                        .terminal = ::isatty(STDERR_FILENO) == 1,
                        .done = survey.complete + survey.elsewhere.size(),
                        .total = survey.planned,
                        .label = [&plan](std::size_t trial) { return label_of(plan, trial); },
                        .grace = sweep.grace});
  });
  progress.reset();
  return conclude(result, results / plan.name(), view);
}

}  // namespace espalier::cli
