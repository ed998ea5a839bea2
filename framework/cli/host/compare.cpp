#include "results/comparison_formats.hpp"
#include "results/comparison_sheet.hpp"
#include "run/run_lock.hpp"
#include <algorithm>
#include <boost/program_options.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <filesystem>
#include <iostream>
#include <set>

#include "deliver.hpp"
#include "experiment_folders.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

po::options_description compare_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("by", po::value<std::string>()->value_name("AXIS[,AXIS]"),
      "the setting to compare, such as peft.use; several give a row for each combination");
  add("metric", po::value<std::string>()->default_value("test_top1")->value_name("NAME"),
      "what to compare, a number of the table /trials");
  add("against", po::value<std::string>()->default_value("", "")->value_name("VALUE"),
      "take differences to this row; to the best one otherwise");
  add("format", po::value<std::string>()->default_value("text")->value_name("FORM"),
      "text, csv, markdown or latex (booktabs)");
  add("out", po::value<std::string>()->value_name("FILE"), "write there instead");
  add("help", "show this");
  return options;
}

void print_compare_help(const po::options_description& options) {
  std::cout
      << "usage: espalier compare [DIR...] --by AXIS [OPTIONS]\n\n"
         "Compares what an axis chooses, over the finished trials of all experiments in DIR\n"
         "(results by default): a row for each value, and differences to the best row over pairs\n"
         "of trials that share seed and all other settings, with interval, exact p and Holm's\n"
         "correction. Runs nothing and writes nothing but --out.\n\n"
      << options
      << "\nexample:\n  espalier compare results/lora results/dora --by peft.use --against none\n"
         "  espalier compare results --by peft.use,gnn.use --format latex --out methods.tex\n";
}

using Writer = std::string (*)(const AxisComparison&);

Writer writer_named(const std::string& format) {
  const std::pair<const char*, Writer> writers[] = {{"text", comparison_text},
                                                    {"csv", comparison_csv},
                                                    {"markdown", comparison_markdown},
                                                    {"latex", comparison_latex}};
  for (const auto& [name, writer] : writers) {
    if (format == name) return writer;
  }
  wrong_option("format", "text, csv, markdown or latex", format);
}

std::vector<std::string> axes_in(const std::string& list) {
  std::vector<std::string> axes;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    axes.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return axes;
}

ComparisonView comparison_view(const po::variables_map& given) {
  if (given.count("by") == 0) {
    throw Error({.what = "compare needs an axis",
                 .where = "command line",
                 .expected = "espalier compare DIR... --by AXIS, such as --by peft.use",
                 .found = {},
                 .fix = "espalier compare --help shows an example"});
  }
  return {.by = axes_in(given["by"].as<std::string>()),
          .metric = given["metric"].as<std::string>(),
          .against = given["against"].as<std::string>()};
}

std::vector<SweepTable> sweeps_in(const std::vector<std::string>& folders) {
  std::vector<SweepTable> sweeps;
  std::set<fs::path> seen;
  for (const std::string& named : folders) {
    for (const fs::path& folder : experiments_below(named)) {
      if (!seen.insert(fs::weakly_canonical(folder)).second) continue;
      sweeps.push_back(SweepTable::read(folder, RunLock::held(folder)));
    }
  }
  return sweeps;
}

}  // namespace

int compare_results(const std::vector<std::string>& arguments) {
  const po::options_description options = compare_options();
  po::options_description all;
  all.add(options).add_options()(
      "results", po::value<std::vector<std::string>>()->default_value({"results"}, "results"));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("results", -1));
  if (given.count("help") > 0) return print_compare_help(options), 0;
  const ComparisonView view = comparison_view(given);
  const Writer write = writer_named(given["format"].as<std::string>());
  const auto sweeps = sweeps_in(given["results"].as<std::vector<std::string>>());
  const AxisComparison comparison = compare(sweeps, view);
  deliver(given, write(comparison));
  if (write == comparison_csv) {
    for (const std::string& note : left_out_notes(comparison)) std::cerr << note << "\n";
  }
  return 0;
}

}  // namespace espalier::cli
