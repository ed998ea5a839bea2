#include <iostream>

#include "plugins_internal.hpp"
#include "start_worker.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

po::options_description parity_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("data", po::value<std::string>()->value_name("DIR"),
      "where the files lie that cases name; ESPALIER_DATA_DIR otherwise");
  add("device", po::value<std::string>()->default_value("cpu")->value_name("cpu|cuda|auto"),
      "where encoders and the methods inside them compute; all else does on the CPU");
  add("quiet", "print only what differs");
  add("help", "show this");
  return options;
}

void print_parity_help(const po::options_description& options) {
  std::cout
      << "usage: espalier parity CASE... [OPTIONS]\n\n"
         "Holds Espalier against values that other libraries computed. A case is a model folder\n"
         "with expected.safetensors in it, a file of texts and token ids, a folder of pictures\n"
         "with cases.json, or of graphs or a graph layer with meta.json. Prints the largest\n"
         "absolute and relative difference of each tensor.\n"
         "Exit code 1 where one is over its tolerance or missing.\n\n"
      << options
      << "\nexample:\n  python tools/parity/make_case.py ~/models/my-clip /tmp/case\n"
         "  espalier parity /tmp/case\n";
}

}  // namespace

int parity(const std::vector<std::string>& arguments) {
  const po::options_description options = parity_options();
  po::options_description all;
  all.add(options).add_options()("case",
                                 po::value<std::vector<std::string>>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("case", -1));
  if (given.count("help") > 0) return print_parity_help(options), 0;
  const auto& names = given["case"].as<std::vector<std::string>>();
  if (names.empty()) {
    throw Error({.what = "parity takes one case or more",
                 .where = "command line",
                 .expected = "espalier parity CASE...",
                 .found = "none",
                 .fix = "espalier parity --help says what a case is"});
  }
  std::vector<std::string> words = {"parity"};
  if (given.count("data") > 0) words.push_back("--data=" + given["data"].as<std::string>());
  words.push_back("--device=" + given["device"].as<std::string>());
  if (given.count("quiet") > 0) words.emplace_back("--quiet");
  words.emplace_back("--");
  words.insert(words.end(), names.begin(), names.end());
  become_worker(words);
}

}  // namespace espalier::cli
