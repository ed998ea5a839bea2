#include "results/sweep_file.hpp"
#include "results/tensorboard.hpp"
#include "run/run_lock.hpp"
#include <boost/program_options.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <filesystem>
#include <iostream>

#include "../json_text.hpp"
#include "deliver.hpp"
#include "experiment_folders.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

Table table_named(const SweepTable& sweep, const std::string& name) {
  if (name == "trials") return trials_table(sweep);
  if (name == "metrics") return sweep_metrics_table(sweep);
  if (name == "agg") return combinations_table(sweep);
  throw Error({.what = "there is no such table",
               .where = "--table",
               .expected = "trials, metrics or agg",
               .found = name,
               .fix = {}});
}

void print_export_help(const po::options_description& options) {
  std::cout << "usage: espalier export DIR [--csv | --json | --tensorboard] [OPTIONS]\n\n"
               "Writes the results of one experiment in another form. Without one, makes sweep.h5\n"
               "and trials.csv anew from the folders of the trials.\n\n"
            << options
            << "\nexample:\n  espalier export results/quickstart --csv --table agg --out best.csv\n"
               "  espalier export results/quickstart --tensorboard\n";
}

std::filesystem::path the_experiment(const std::filesystem::path& folder) {
  const std::vector<std::filesystem::path> found = experiments_below(folder);
  if (found.size() == 1) return found.front();
  std::vector<std::string> names;
  for (const auto& one : found) names.push_back(one.filename().string());
  throw Error({.what = "a folder holds several experiments, and export takes one",
               .where = folder.string(),
               .expected = "the folder of an experiment",
               .found = joined(names),
               .fix = "espalier export " + found.front().string()});
}

}  // namespace

int export_results(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  auto add = options.add_options();
  add("csv", "a table as CSV on standard output");
  add("json", "a table as JSON on standard output");
  add("tensorboard", "event files, in DIR/tensorboard");
  add("table", po::value<std::string>()->default_value("trials")->value_name("NAME"),
      "trials, metrics, or agg for statistics over seeds");
  add("out", po::value<std::string>()->value_name("PATH"), "write there instead");
  add("help", "show this");
  po::options_description all;
  all.add(options).add_options()("results", po::value<std::string>());
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("results", 1));
  if (given.count("help") > 0) return print_export_help(options), 0;
  if (given.count("results") == 0 ||
      given.count("csv") + given.count("json") + given.count("tensorboard") > 1) {
    throw Error({.what = "export takes one folder and at most one form",
                 .where = "command line",
                 .expected = "espalier export DIR [--csv | --json | --tensorboard]",
                 .found = {},
                 .fix = "espalier export --help shows an example"});
  }

  const std::filesystem::path folder = the_experiment(given["results"].as<std::string>());
  const SweepTable sweep = SweepTable::read(folder, RunLock::held(folder));
  if (given.count("csv") > 0) {
    deliver(given, to_csv(table_named(sweep, given["table"].as<std::string>())));
  } else if (given.count("json") > 0) {
    deliver(given, json_text(to_json(table_named(sweep, given["table"].as<std::string>())), 1));
  } else if (given.count("tensorboard") > 0) {
    const std::filesystem::path target =
        given.count("out") > 0 ? given["out"].as<std::string>() : (folder / "tensorboard").string();
    const std::size_t runs = write_tensorboard(sweep, target);
    std::cerr << runs << " runs; look at them with: tensorboard --logdir " << target.string()
              << "\n";
    std::cout << target.string() << "\n";
  } else {
    write_sweep(sweep);
    std::cout << (folder / "sweep.h5").string() << "\n" << (folder / "trials.csv").string() << "\n";
  }
  return 0;
}

}  // namespace espalier::cli
