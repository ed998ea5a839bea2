#include <unistd.h>

#include "experiment/plan.hpp"

#include "cache/stage_cache.hpp"
#include "run/progress.hpp"
#include "run/trial_store.hpp"
#include "run/trial_times.hpp"
#include <algorithm>
#include <array>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <iostream>
#include <map>
#include <set>

#include "../json_text.hpp"
#include "make_plan.hpp"
#include "padded.hpp"
#include "plan_methods.hpp"
#include "plan_times.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"
#include "worker_command.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Folders = std::vector<std::string>;

constexpr std::array states = {TrialState::planned, TrialState::duplicate, TrialState::excluded,
                               TrialState::impossible};

po::options_description plan_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("json", "print one line of JSON a trial instead of the summary");
  add("activation-limit",
      po::value<std::string>()->default_value(default_activation_limit)->value_name("SIZE|none"),
      "the one of espalier run, to see what would be stored");
  add("time",
      "train the first epochs of each combination once, to say what the sweep will take; this "
      "is kept, and so is what they share");
  add("workers", po::value<std::string>()->default_value("auto")->value_name("N|auto"),
      "those of espalier run, for that");
  add("threads", po::value<int>()->default_value(1)->value_name("N"), "the same");
  add("results", po::value<std::string>()->default_value("results")->value_name("DIR"),
      "where results are kept");
  add("plugins", po::value<Folders>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_plan_help(const po::options_description& options) {
  std::cout << "usage: espalier plan EXPERIMENT.yaml [OVERRIDE...] [OPTIONS]\n\n"
               "Says which trials an experiment expands to, which of them are the same, left out,\n"
               "impossible or done already, what they share and what they will take. Runs\n"
               "nothing but, with --time, some epochs.\n\n"
               "An override is key=value, key=a,b,c to sweep it, +key=value to add and ~key to\n"
               "remove.\n\n"
            << options
            << "\nexamples:\n"
               "  espalier plan experiments/quickstart.yaml graph.tau=0.5,0.7 seed='range(0,3)'\n"
               "  espalier plan experiments/rank.yaml --time\n"
               "  espalier plan experiments/quickstart.yaml --json | head -1\n";
}

// Which planned trials have a result already, in this experiment or in another one.
std::vector<bool> done_trials(const Plan& plan, const std::filesystem::path& results) {
  std::vector<bool> done(plan.trials().size());
  if (!std::filesystem::is_directory(results)) return done;
  const TrialStore store(results, plan.name());
  const auto begun = store.begun();
  const auto begun_elsewhere = store.begun_elsewhere();
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (plan.trials()[i].state != TrialState::planned) continue;
    const std::string id = hex(plan.trials()[i].trial_id);
    done[i] = (begun.contains(id) && std::filesystem::exists(store.folder(id) / "result.h5")) ||
              store.elsewhere(id, begun_elsewhere);
  }
  store.hasher().save();
  return done;
}

void print_json(const Plan& plan, const std::vector<bool>& done) {
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    const PlannedTrial& trial = plan.trials()[i];
    const Json identity = plan.identity(i);
    const bool has_id = !identity.is_null();
    Json stages = Json::object();
    Json inputs = Json::object();
    for (const StageRef& stage : plan.stages(i)) {
      stages[stage.name] = stage.key;
      inputs[stage.name] = Json::parse(stage.inputs);
    }
    const Json line{{"trial_id", has_id ? Json(hex(trial.trial_id)) : Json()},
                    {"combo_id", has_id ? Json(hex(trial.combo_id)) : Json()},
                    {"state", to_string(trial.state)},
                    {"reason", plan.reasons()[trial.reason]},
                    {"done", static_cast<bool>(done[i])},
                    {"axes", plan.axis_values(i)},
                    {"config", plan.config(i)},
                    {"identity", identity},
                    {"stages", stages},
                    {"stage_inputs", inputs}};
    std::cout << json_text(line);
  }
}

std::string list_of(const std::vector<Json>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i == 6 && values.size() > 8) {
      return text + ", ..., " + printable(values.back().dump());
    }
    text += (i == 0 ? "" : ", ") +
            printable(values[i].is_string() ? values[i].get<std::string>() : values[i].dump());
  }
  return text;
}

void print_axes(const Plan& plan) {
  std::size_t width = 0;
  for (const Axis& axis : plan.axes()) width = std::max(width, axis.key.size());
  for (const Axis& axis : plan.axes()) {
    std::printf("  %s %6zu  %s\n", padded(axis.key, width).c_str(), axis.values.size(),
                list_of(axis.values).c_str());
  }
  if (!plan.axes().empty()) std::puts("");
}

void print_states(const Plan& plan, const std::vector<bool>& done) {
  std::map<TrialState, std::size_t> counts;
  std::map<TrialState, std::map<std::uint32_t, std::size_t>> reasons;
  for (const PlannedTrial& trial : plan.trials()) {
    ++counts[trial.state];
    if (trial.reason != 0) ++reasons[trial.state][trial.reason];
  }
  std::printf("  trials     %8zu\n", plan.trials().size());
  for (const TrialState state : states) {
    if (state != TrialState::planned && counts[state] == 0) continue;
    std::printf("  %s %8zu\n", padded(std::string(to_string(state)), 10).c_str(), counts[state]);
    for (const auto& [reason, count] : reasons[state]) {
      std::printf("             %8zu  %s\n", count, printable(plan.reasons()[reason]).c_str());
    }
  }
  const auto finished = static_cast<std::size_t>(std::count(done.begin(), done.end(), true));
  std::printf("  done       %8zu\n  to run     %8zu\n", finished,
              counts[TrialState::planned] - finished);
}

// `stage/key` of every entry, of activations the family's.
std::set<std::string> families_in(const std::filesystem::path& cache) {
  std::set<std::string> families;
  for (const CachedStage& entry : StageCache(cache).entries()) {
    families.insert(entry.stage + "/" + entry.family());
  }
  return families;
}

void print_stages(const Plan& plan, const std::filesystem::path& cache) {
  std::map<std::string, std::map<std::string, std::size_t>> trials_of;  // stage, key
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    if (plan.trials()[i].state != TrialState::planned) continue;
    for (const StageRef& stage : plan.stages(i)) ++trials_of[stage.name][stage.key];
  }
  const std::set<std::string> kept = families_in(cache);
  if (!trials_of.empty()) std::puts("\nshared stages");
  for (const auto& [name, keys] : trials_of) {
    std::size_t trials = 0;
    std::size_t cached = 0;
    for (const auto& [key, count] : keys) {
      trials += count;
      cached += kept.contains(name + "/" + key) ? 1 : 0;
    }
    std::printf("  %s %6zu for %zu trials, %zu in the cache\n", padded(name, 17).c_str(),
                keys.size(), trials, cached);
  }
}

std::size_t combinations(const Plan& plan) {
  std::set<Digest> seen;
  for (const PlannedTrial& trial : plan.trials()) {
    if (trial.state == TrialState::planned) seen.insert(trial.combo_id);
  }
  return seen.size();
}

// Measures what is asked for and not known.
TrialTimes times_of(const Plan& plan, const po::variables_map& given, std::size_t workers,
                    const std::filesystem::path& results) {
  const int threads = given["threads"].as<int>();
  TrialTimes times(results / ".cache" / "times", machine_name(workers, threads));
  if (given.count("time") == 0) return times;
  SweepOptions options;
  options.results = results;
  options.workers = workers;
  options.activation_limit = limit_of(given, "activation-limit");
  options.worker = worker_command(given["plugins"].as<Folders>(), workers, threads, "cpu");
  SweepProgress progress({.out = stderr,
                          .terminal = ::isatty(STDERR_FILENO) == 1,
                          .done = 0,
                          .total = combinations(plan),
                          .label = [](std::size_t) { return std::string("measuring"); }});
  const SweepEnd end = measure_times(plan, options, progress, times);
  if (end.storage) throw Error(*end.storage);
  return times;
}

}  // namespace

int plan(const std::vector<std::string>& arguments) {
  const po::options_description options = plan_options();
  po::options_description all;
  all.add(options).add_options()("words", po::value<std::vector<std::string>>());
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("words", -1));
  if (given.count("help") > 0) return print_plan_help(options), 0;
  const auto words = experiment_words(given, "plan");
  const std::filesystem::path results = given["results"].as<std::string>();
  const auto& plugins = given["plugins"].as<Folders>();
  const ExperimentSource source =
      ExperimentSource::read(words[0], {words.begin() + 1, words.end()});
  const Plan made = make_plan({words, plugins, results}, source);

  const std::vector<bool> done = done_trials(made, results);
  if (given.count("json") > 0) return print_json(made, done), 0;
  const int threads = given["threads"].as<int>();
  if (threads < 1) wrong_option("threads", "a number from 1", std::to_string(threads));
  const std::size_t workers = worker_count(given["workers"].as<std::string>(), threads);
  const TrialTimes times = times_of(made, given, workers, results);
  std::printf("%s%s%s\n\n", made.name().c_str(), made.about().empty() ? "" : ": ",
              printable(made.about()).c_str());
  print_axes(made);
  print_states(made, done);
  std::printf("  combinations %6zu  planned trials without their seeds\n", combinations(made));
  print_stages(made, results / ".cache");
  print_sizes(made);
  print_cuts(made, limit_of(given, "activation-limit"));
  print_times(made, done, times, workers);
  return 0;
}

}  // namespace espalier::cli
