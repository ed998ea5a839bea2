#include "results/report.hpp"
#include "run/progress.hpp"
#include "run/run_lock.hpp"
#include <boost/program_options.hpp>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <filesystem>
#include <iostream>

#include "../json_text.hpp"
#include "experiment_folders.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

struct Counts {
  std::size_t complete = 0;
  std::size_t failed = 0;
  std::size_t running = 0;
  std::size_t stopped = 0;
  std::size_t planned = 0;
};

Counts count(const SweepTable& sweep) {
  Counts counts;
  for (const TrialRecord& record : sweep.records) {
    switch (record.status) {
      case TrialStatus::complete:
        ++counts.complete;
        break;
      case TrialStatus::failed:
        ++counts.failed;
        break;
      case TrialStatus::running:
        ++counts.running;
        break;
      case TrialStatus::stopped:
        ++counts.stopped;
        break;
      case TrialStatus::planned:
        ++counts.planned;
        break;
    }
  }
  return counts;
}

// Mean time of the trials that are done, times what is left, over the workers that are busy.
double seconds_left(const SweepTable& sweep, const Counts& counts) {
  double total = 0;
  double known = 0;
  for (const TrialRecord& record : sweep.records) {
    if (record.status != TrialStatus::complete || std::isnan(record.result.total_seconds)) continue;
    total += record.result.total_seconds;
    ++known;
  }
  if (known == 0 || counts.running == 0) return missing;
  const auto left = static_cast<double>(counts.running + counts.stopped + counts.planned);
  return total / known * left / static_cast<double>(counts.running);
}

Json trial_json(const SweepTable& sweep, std::size_t row) {
  const TrialRecord& record = sweep.records[row];
  Json json = {{"trial_id", sweep.plan.rows[row].trial_id},
               {"label", trial_label(sweep.plan, row)},
               {"status", to_string(record.status)}};
  if (record.status == TrialStatus::failed) json["error"] = record.error;
  if (record.last_epoch >= 0) json["epoch"] = record.last_epoch;
  return json;
}

Json status_json(const SweepTable& sweep) {
  const Counts counts = count(sweep);
  const double left = seconds_left(sweep, counts);
  Json json = {
      {"name", sweep.plan.name},     {"trials", sweep.records.size()},
      {"complete", counts.complete}, {"failed", counts.failed},
      {"running", counts.running},   {"stopped", counts.stopped},
      {"planned", counts.planned},   {"seconds_left", std::isnan(left) ? Json() : Json(left)},
      {"attention", Json::array()}};
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    const TrialStatus status = sweep.records[i].status;
    if (status == TrialStatus::complete || status == TrialStatus::planned) continue;
    json["attention"].push_back(trial_json(sweep, i));
  }
  return json;
}

std::string headline(const SweepTable& sweep) {
  const Counts counts = count(sweep);
  const std::string folder = fs::canonical(sweep.folder).filename().string();
  std::string text = printable(sweep.plan.name) +
                     (folder == sweep.plan.name ? "" : " in " + printable(folder)) + ": " +
                     std::to_string(counts.complete) + " of " +
                     std::to_string(sweep.records.size()) + " done";
  const std::pair<std::size_t, const char*> others[] = {{counts.running, " running"},
                                                        {counts.failed, " failed"},
                                                        {counts.stopped, " stopped"},
                                                        {counts.planned, " waiting"}};
  for (const auto& [number, word] : others) {
    if (number > 0) text += ", " + std::to_string(number) + word;
  }
  const double left = seconds_left(sweep, counts);
  return std::isnan(left) ? text : text + "; about " + short_duration(left) + " left";
}

void print_experiment(const SweepTable& sweep) {
  std::cout << headline(sweep) << "\n";
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    const TrialRecord& record = sweep.records[i];
    for (const std::string& warning : record.warnings)
      std::cerr << "warning: " << printable_lines(warning) << "\n";
    if (record.status != TrialStatus::running && record.status != TrialStatus::stopped) continue;
    std::cout << "  " << to_string(record.status) << "  " << trial_label(sweep.plan, i);
    if (record.last_epoch >= 0) std::cout << ", epoch " << record.last_epoch;
    std::cout << "\n";
  }
  const std::string failed = failed_trials(sweep);
  if (!failed.empty()) std::cout << "failed:\n" << failed;
}

}  // namespace

int status(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()("json", "one JSON object an experiment")("help", "show this");
  po::options_description all;
  all.add(options).add_options()("results", po::value<std::string>()->default_value("results"));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("results", 1));
  if (given.count("help") > 0) {
    std::cout
        << "usage: espalier status [DIR] [--json]\n\n"
           "Says what is done, running, failed and why, and how long the rest will take. DIR\n"
           "is the folder of one experiment, or holds several; results by default. Reads\n"
           "journals alone and disturbs nothing.\n\n"
        << options << "\nexample:\n  espalier status results/quickstart\n";
    return 0;
  }
  for (const fs::path& folder : experiments_below(given["results"].as<std::string>())) {
    const SweepTable sweep = SweepTable::read(folder, RunLock::held(folder));
    if (given.count("json") > 0) {
      std::cout << json_text(status_json(sweep));
    } else {
      print_experiment(sweep);
    }
  }
  return 0;
}

}  // namespace espalier::cli
