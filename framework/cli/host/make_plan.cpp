#include "make_plan.hpp"

#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <espalier/core/units.hpp>
#include <iostream>
#include <optional>
#include <set>

#include "cache/stage_entry.hpp"
#include "run/worker_inspector.hpp"

#include "data_progress.hpp"
#include "plugins_internal.hpp"
#include "record_captions.hpp"

namespace espalier::cli {
namespace {

WorkerCommand inspector_command(const std::vector<std::string>& plugins) {
  WorkerCommand command;
  command.arguments = {worker_program().string(), "inspect"};
  for (const std::string& folder : plugins) {
    command.arguments.push_back(std::filesystem::absolute(folder).string());
  }
  return command;
}

}  // namespace

std::vector<std::string> experiment_words(const boost::program_options::variables_map& given,
                                          const std::string& verb) {
  if (given.count("words") > 0) return given["words"].as<std::vector<std::string>>();
  throw Error({.what = "no experiment is named",
               .where = "command line",
               .expected = "espalier " + verb + " EXPERIMENT.yaml",
               .found = {},
               .fix = "espalier " + verb + " --help shows an example"});
}

std::int64_t limit_of(const boost::program_options::variables_map& given, const char* option) {
  const auto text = given[option].as<std::string>();
  if (text == "none") return unlimited;
  const std::optional<std::int64_t> bytes = parse_bytes(text);
  if (!bytes) wrong_option(option, "a size such as 500M or 20G, or none", text);
  return *bytes;
}

Plan make_plan(const PlanRequest& request, const ExperimentSource& source) {
  Catalog catalog = Catalog::installed(request.plugins);
  catalog.describe(worker_program());
  const auto once = [&] {
    WorkerInspector inspector(inspector_command(request.plugins),
                              request.results / ".cache" / "inspected",
                              [](const std::string& dataset) {
                                std::cerr << "opening " << printable(dataset) << std::endl;
                              });
    return Plan::make(source, catalog, request.results, data_progress(), &inspector);
  };
  Plan plan = once();
  const std::size_t missing = plan.missing_captions().size();
  if (missing > 0 && request.record) {
    record_captions(plan.missing_captions(), request.plugins);
    plan = once();
  } else if (missing > 0) {
    std::cerr << "warning: " << missing << (missing == 1 ? " caption set is" : " caption sets are")
              << " not written yet: `espalier run` does that first, and the names of the trials "
                 "that read them follow from what is answered\n";
  }
  for (const std::string& warning : plan.warnings())
    std::cerr << "warning: " << printable_lines(warning) << "\n";
  return plan;
}

std::vector<std::string> told_left_out(const Plan& plan) {
  std::vector<std::string> lines;
  const auto tell = [&](TrialState state, const char* of_one, const char* of_more,
                        const char* of_several_reasons) {
    std::size_t count = 0;
    std::set<std::uint32_t> reasons;
    for (const PlannedTrial& trial : plan.trials()) {
      if (trial.state != state) continue;
      ++count;
      reasons.insert(trial.reason);
    }
    if (count == 0) return;
    lines.push_back(
        std::to_string(count) + (count == 1 ? of_one : of_more) + ": " +
        (reasons.size() == 1 ? printable(plan.reasons()[*reasons.begin()]) : of_several_reasons));
  };
  tell(TrialState::duplicate, " trial equals an earlier one and is run once",
       " trials equal an earlier one and are run once", "`espalier plan` says in what they differ");
  tell(TrialState::impossible, " trial cannot be and is left out",
       " trials cannot be and are left out", "`espalier plan` says why");
  return lines;
}

}  // namespace espalier::cli
