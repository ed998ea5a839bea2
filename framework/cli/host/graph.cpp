#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "plugins_internal.hpp"
#include "settings.hpp"
#include "start_worker.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

po::options_description graph_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("tensors", po::value<std::string>()->value_name("FILE"),
      "safetensors with features [n, d] in place of a dataset and an encoder; also read: labels, "
      "text_features");
  add("split", po::value<std::string>()->value_name("train|val|test|all"),
      "whose nodes: train where there are official splits, else all");
  add("out", po::value<std::string>()->value_name("FILE.h5"),
      "the graph as a CSR matrix that scipy and anndata read");
  add("picture", po::value<std::string>()->value_name("FILE.svg"), "the graph to look at");
  add("shown", po::value<int>()->default_value(200)->value_name("N"),
      "with --picture: at most so many nodes");
  add("seed", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "for builders and captioners that draw numbers");
  add("device", po::value<std::string>()->default_value("cpu")->value_name("cpu|cuda|auto"),
      "where to encode");
  add("threads", po::value<int>()->default_value(usable_cores())->value_name("N"),
      "threads to compute with");
  add("plugins", po::value<Words>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_graph_help(const po::options_description& options) {
  std::cout
      << "usage: espalier graph dataset.use=NAME dataset.KEY=VALUE... encoder.use=NAME ...\n"
         "                      graph.use=NAME graph.KEY=VALUE... [--out FILE.h5] [--picture "
         "FILE.svg]\n"
         "       espalier graph --tensors FILE.safetensors graph.use=NAME ... [OPTIONS]\n\n"
         "Builds a graph over pictures, or over features of your own, and says what it is like:\n"
         "degrees, components, how many edges join equal labels, how similarities are spread.\n"
         "Builders that read captions take them from captioner.use=NAME.\n\n"
      << options
      << "\nexamples:\n  espalier graph dataset.use=flora encoder.use=classical "
         "graph.use=threshold "
         "\\\n"
         "    graph.tau_from=degree graph.degree=10 --picture flora.svg\n"
         "  espalier graph --tensors features.safetensors graph.use=knn graph.k=10 --out g.h5\n";
}

void expect_that(bool holds, std::string what, std::string expected, std::string found = {}) {
  if (holds) return;
  throw Error({.what = std::move(what),
               .where = "command line",
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = "espalier graph --help shows examples"});
}

Words of_section(const Words& settings, const std::string& section) {
  Words some;
  std::copy_if(settings.begin(), settings.end(), std::back_inserter(some),
               [&](const std::string& word) {
                 return word.starts_with(section + ".") || word.starts_with(section + "=");
               });
  return some;
}

class GraphRequest {
 public:
  GraphRequest(const po::variables_map& given, const Words& settings)
      : given_(given),
        settings_(settings),
        catalog_(Catalog::installed(given["plugins"].as<Words>())) {
    catalog_.describe(worker_program());
  }

  [[nodiscard]] Json make() {
    require_known_sections();
    Json request = {{"graph", section("graph", "graph.use=threshold")}};
    const Json& graph = request["graph"];
    for (const char* need : {"needs_other", "needs_texts", "needs_ids"}) {
      request[need] = catalog_.has("graph", graph, need);
    }
    if (given_.count("tensors") > 0) {
      expect_that(!request["needs_texts"].get<bool>() && !request["needs_ids"].get<bool>(),
                  "this builder reads captions or ids, and tensors have none",
                  "a dataset and an encoder", "graph/" + graph.at("use").get<std::string>());
      expect_that(given_.count("split") == 0, "tensors have no splits", "no --split");
      request["tensors"] = given_["tensors"].as<std::string>();
      return request;
    }
    request["dataset"] = section("dataset", "dataset.use=flora, or --tensors FILE");
    request["encoder"] = section("encoder", "encoder.use=classical");
    const bool captions = request["needs_other"].get<bool>() || request["needs_texts"].get<bool>();
    if (captions) request["captioner"] = section("captioner", "captioner.use=attributes");
    request["split"] = given_.count("split") > 0 ? given_["split"].as<std::string>() : "";
    return request;
  }

 private:
  void require_known_sections() const {
    for (const std::string& word : settings_) {
      const bool known =
          std::any_of(std::begin(sections), std::end(sections), [&](const char* name) {
            return word.starts_with(std::string(name) + ".") ||
                   word.starts_with(std::string(name) + "=");
          });
      expect_that(known, "an argument is no setting",
                  "dataset., encoder., captioner. or graph.KEY=VALUE", word);
    }
  }

  [[nodiscard]] Json section(const std::string& kind, const std::string& example) const {
    const Words some = of_section(settings_, kind);
    expect_that(!some.empty(), "the " + kind + " is not named", example);
    return resolve_settings(kind, read_settings(kind, some), catalog_);
  }

  static constexpr const char* sections[] = {"dataset", "encoder", "captioner", "graph"};

  const po::variables_map& given_;
  const Words& settings_;
  Catalog catalog_;
};

std::string checked_path(const po::variables_map& given, const std::string& option,
                         const std::string& ending) {
  if (given.count(option) == 0) return {};
  const auto path = given[option].as<std::string>();
  expect_that(std::filesystem::path(path).extension() == ending,
              "--" + option + " has an ending that says nothing", "FILE" + ending, path);
  const auto folder = std::filesystem::absolute(path).parent_path();
  expect_that(std::filesystem::is_directory(folder), "the folder of --" + option + " is not there",
              "an existing folder", folder.string());
  return path;
}

}  // namespace

int graph(const std::vector<std::string>& arguments) {
  const po::options_description options = graph_options();
  po::options_description all;
  all.add(options).add_options()("word", po::value<Words>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("word", -1));
  if (given.count("help") > 0) return print_graph_help(options), 0;
  const int threads = given["threads"].as<int>(), shown = given["shown"].as<int>();
  expect_that(threads >= 1 && threads <= 1024, "--threads has a wrong value", "1 to 1024");
  expect_that(shown >= 1 && shown <= 2000, "--shown has a wrong value", "1 to 2000");
  const std::string out = checked_path(given, "out", ".h5");
  const std::string picture = checked_path(given, "picture", ".svg");
  Json request = GraphRequest(given, given["word"].as<Words>()).make();
  request.update({{"out", out},
                  {"picture", picture},
                  {"shown", shown},
                  {"threads", threads},
                  {"seed", given["seed"].as<std::int64_t>()},
                  {"device", given["device"].as<std::string>()},
                  {"plugins", given["plugins"].as<Words>()}});
  become_worker({"graph", request.dump()});
}

}  // namespace espalier::cli
