#include <ATen/Parallel.h>

#include "run/worker.hpp"
#include "train/trial.hpp"
#include <boost/program_options.hpp>
#include <espalier/core/error.hpp>
#include <espalier/plugin/loader.hpp>
#include <iostream>

#include "described_catalog.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

po::options_description options_of_serve() {
  po::options_description options("options");
  auto add = options.add_options();
  add("threads", po::value<int>()->default_value(1), "threads of a trial");
  add("loaders", po::value<std::int64_t>()->default_value(1),
      "threads that decode and transform pictures");
  add("device", po::value<std::string>()->default_value("cpu"), "where encoders compute");
  add("environment", po::value<std::string>()->default_value("{}"),
      "a JSON object that joins the environment of every result");
  add("plugins", po::value<std::vector<std::string>>()->default_value({}, ""),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

}  // namespace

int serve(const std::vector<std::string>& arguments) try {
  const po::options_description options = options_of_serve();
  po::variables_map given;
  po::store(po::command_line_parser(arguments).options(options).run(), given);
  if (given.count("help") > 0) {
    std::cout
        << "usage: espalier-worker serve [OPTIONS]\n\n"
           "Runs the trials that espalier run sends to its standard input, one JSON object a\n"
           "line, and answers in the same way.\n\n"
        << options << "\nexample:\n  espalier-worker serve --threads 1 < requests.jsonl\n";
    return 0;
  }
  WorkerOptions worker;
  worker.out = begin_worker();
  worker.device = given["device"].as<std::string>();
  worker.loaders = given["loaders"].as<std::int64_t>();
  worker.environment = parse_json(given["environment"].as<std::string>(), "--environment");
  at::set_num_threads(given["threads"].as<int>());
  const Catalog catalog = described_catalog(given["plugins"].as<std::vector<std::string>>());
  Loader loader(catalog);
  worker.loader = &loader;
  serve_trials(worker, run_trial);
  return 0;
} catch (const po::error& error) {
  throw Error({.what = error.what(),
               .where = "command line of espalier-worker serve",
               .expected = {},
               .found = {},
               .fix = {}});
}

}  // namespace espalier::cli
