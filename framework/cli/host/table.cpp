#include "results/report.hpp"
#include "run/run_lock.hpp"
#include <algorithm>
#include <boost/program_options.hpp>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <iostream>
#include <limits>
#include <utility>

#include "experiment_folders.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

po::options_description table_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("by", po::value<std::string>()->default_value("", "")->value_name("AXIS"),
      "order by an axis, numbers by value; best validation first otherwise");
  add("metric", po::value<std::vector<std::string>>()->value_name("NAME"),
      "show this instead of val_top1 and test_top1; may be repeated");
  add("rows", po::value<std::size_t>()->default_value(10)->value_name("N"),
      "combinations at most; 0: all");
  add("help", "show this");
  return options;
}

void print_table_help(const po::options_description& options) {
  std::cout
      << "usage: espalier table [DIR] [OPTIONS]\n\n"
         "Shows the table of a sweep again, of the trials that are done by now. DIR is the\n"
         "folder of one experiment, or holds several; results by default. Runs nothing and\n"
         "writes nothing.\n\n"
      << options
      << "\nexample:\n  espalier table results/quickstart --by graph.tau --metric test_top1\n";
}

TableView view_of(const po::variables_map& given) {
  TableView view;
  view.by = given["by"].as<std::string>();
  if (given.count("metric") > 0) view.metrics = given["metric"].as<std::vector<std::string>>();
  const auto rows = given["rows"].as<std::size_t>();
  view.rows = rows == 0 ? std::numeric_limits<std::size_t>::max() : rows;
  return view;
}

void print_table(const fs::path& folder, const TableView& view) {
  const SweepTable sweep = SweepTable::read(folder, RunLock::held(folder));
  std::vector<std::string> axes;
  for (const PlanAxis& axis : sweep.plan.axes) axes.push_back(axis.key);
  check_view(view, axes);
  std::cout << combinations_text(sweep, view);
  const auto done = std::count_if(sweep.records.begin(), sweep.records.end(),
                                  [](const auto& r) { return r.status == TrialStatus::complete; });
  const auto planned = static_cast<std::ptrdiff_t>(sweep.records.size());
  if (done < planned) {
    std::cerr << sweep.plan.name << ": " << done << " of " << planned << " trials are done\n";
  }
}

}  // namespace

int table(const std::vector<std::string>& arguments) {
  const po::options_description options = table_options();
  po::options_description all;
  all.add(options).add_options()("results", po::value<std::string>()->default_value("results"));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("results", 1));
  if (given.count("help") > 0) return print_table_help(options), 0;
  const TableView view = view_of(given);
  bool first = true;
  for (const fs::path& folder : experiments_below(given["results"].as<std::string>())) {
    if (!std::exchange(first, false)) std::cout << "\n";
    print_table(folder, view);
  }
  return 0;
}

}  // namespace espalier::cli
