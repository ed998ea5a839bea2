#include <ATen/Parallel.h>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <espalier/nn/blip.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/testing/gnn_parity.hpp>
#include <espalier/testing/graph_parity.hpp>
#include <espalier/testing/peft_parity.hpp>
#include <iostream>

#include "parity_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

// The last two are for cases that name their files from a folder above them.
std::vector<fs::path> candidates(const fs::path& name, const fs::path& folder,
                                 const fs::path& data) {
  std::vector<fs::path> places = {folder / name, folder / name.filename(),
                                  folder / "files" / name.filename()};
  if (!data.empty()) {
    for (const fs::path& place : {data / name, data / name.filename(), data / ".." / name}) {
      places.push_back(place);
    }
  }
  places.push_back(folder / ".." / name);
  places.push_back(folder / "../.." / name);
  return places;
}

Differences run_case(const fs::path& path, const fs::path& data, const std::string& device) {
  if (fs::is_regular_file(path)) return tokenizer_parity(path, data);
  if (fs::exists(path / "cases.json")) return image_parity(path, data);
  if (fs::exists(path / "config.json")) {
    return is_blip_folder(path) ? blip_parity(path) : encoder_parity(path, device);
  }
  if (conformance::is_peft_case(path)) {
    return conformance::peft_parity(path, Catalog::installed(), device);
  }
  if (is_ewc_case(path)) return ewc_parity(path);
  if (conformance::is_graph_case(path)) {
    return conformance::graph_parity(path, Catalog::installed());
  }
  if (fs::exists(path / "meta.json")) {
    return conformance::gnn_parity(path, Catalog::installed());
  }
  throw Error({.what = "this is no case that can be run",
               .where = path.string(),
               .expected = "a model folder with expected.safetensors, a file of texts and ids, a "
                           "folder of pictures with cases.json, or one of graphs, a graph layer or "
                           "a PEFT method with meta.json",
               .found = fs::exists(path) ? "something else" : "nothing",
               .fix = "espalier parity --help says what a case is"});
}

// How many are over tolerance.
int report(const fs::path& path, const Differences& rows, bool quiet) {
  int bad = 0;
  std::printf("%s\n", printable(path.string()).c_str());
  for (const TensorDifference& row : rows) {
    bad += row.ok() ? 0 : 1;
    if (quiet && row.ok()) continue;
    const char* const verdict = row.ok() ? "ok" : "DIFFERS";
    const std::string name = printable(row.name);
    if (row.failure.empty()) {
      std::printf("  %-7s %-58s %9.2e %9.2e\n", verdict, name.c_str(), row.absolute, row.relative);
    } else {
      std::printf("  %-7s %-58s %s\n", verdict, name.c_str(), printable(row.failure).c_str());
    }
  }
  std::printf("  %zu compared, %d over tolerance or missing\n", rows.size(), bad);
  return bad;
}

po::variables_map parse(const std::vector<std::string>& arguments) {
  po::options_description options;
  auto add = options.add_options();
  add("data", po::value<std::string>()->default_value(""));
  add("device", po::value<std::string>()->default_value("cpu"));
  add("quiet", "");
  add("help", "");
  add("case", po::value<std::vector<std::string>>()->default_value({}, ""));
  po::variables_map given;
  po::store(po::command_line_parser(arguments)
                .options(options)
                .positional(po::positional_options_description().add("case", -1))
                .run(),
            given);
  return given;
}

fs::path data_folder(const std::string& given) {
  if (!given.empty()) return given;
  const char* const named = std::getenv("ESPALIER_DATA_DIR");
  return named != nullptr ? named : "";
}

}  // namespace

fs::path find_named(const fs::path& name, const fs::path& folder, const fs::path& data) {
  for (const fs::path& place : candidates(name, fs::absolute(folder), data)) {
    if (fs::exists(place)) return place;
  }
  return folder / name;
}

int parity(const std::vector<std::string>& arguments) {
  const po::variables_map given = parse(arguments);
  if (given.count("help") > 0) {
    std::cout << "usage: espalier-worker parity [--data DIR] [--device cpu|cuda|auto] [--quiet] "
                 "CASE...\n\nexample:\n"
                 "  espalier parity --help\n";
    return 0;
  }
  at::set_num_threads(1);
  const fs::path data = data_folder(given["data"].as<std::string>());
  const std::string device = given["device"].as<std::string>();
  (void)device_of(device);
  std::printf("  %-7s %-58s %9s %9s\n", "", "", "absolute", "relative");
  int bad = 0;
  Problems problems;
  for (const fs::path path : given["case"].as<std::vector<std::string>>()) try {
      bad += report(path, run_case(path, data, device), given.count("quiet") > 0);
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems.add(problem);
    }
  problems.throw_if_any();
  return bad == 0 ? 0 : 1;
}

}  // namespace espalier::cli
