#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <iostream>
#include <map>
#include <sstream>

#include "plugins_internal.hpp"
#include "start_worker.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

po::options_description adapters_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("base", po::value<std::string>()->value_name("DIR"),
      "the model's folder, where the adapter's own base_model_name_or_path is not one");
  add("into", po::value<std::string>()->value_name("DIR"), "merge, average: the folder to write");
  add("weights", po::value<std::string>()->value_name("W,W,..."), "average: one an adapter");
  add("how", po::value<std::string>()->default_value("cat")->value_name("cat|svd|linear"),
      "average: exactly with larger ranks, approximated at the largest rank, or factor by factor");
  add("plugins", po::value<Words>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_adapters_help(const po::options_description& options) {
  std::cout
      << "usage: espalier adapters show DIR\n"
         "       espalier adapters check DIR [--base DIR]\n"
         "       espalier adapters merge DIR --into DIR [--base DIR]\n"
         "       espalier adapters diff DIR DIR\n"
         "       espalier adapters average DIR DIR... --weights W,W,... --into DIR\n\n"
         "Works on adapters in Hugging Face PEFT's format: adapter_config.json and\n"
         "adapter_model.safetensors, as each trial leaves them in trials/<trial_id>/adapter.\n"
         "`show` says what one holds; `check` whether it fits its model; `merge` writes a model\n"
         "folder that needs no adapter any more; `diff` says where two differ; `average` makes\n"
         "one of several.\n\n"
      << options
      << "\nexamples:\n"
         "  espalier adapters show results/quickstart/trials/0a1b2c/adapter\n"
         "  espalier adapters merge my-lora --base clip-vit-base-patch16 --into my-clip\n"
         "  espalier adapters average one two --weights 0.7,0.3 --into both\n";
}

[[noreturn]] void wrong_use(const std::string& what, const std::string& expected,
                            const std::string& found) {
  throw Error({.what = what,
               .where = "command line",
               .expected = expected,
               .found = found,
               .fix = "espalier adapters --help shows an example of each"});
}

void require_count(const std::string& action, std::size_t folders) {
  static const std::map<std::string, std::pair<std::size_t, std::size_t>> counts = {
      {"show", {1, 1}}, {"check", {1, 1}}, {"merge", {1, 1}}, {"diff", {2, 2}},
      {"average", {2, 100}}};
  const auto found = counts.find(action);
  if (found == counts.end()) {
    wrong_use("adapters has no such action", "show, check, merge, diff or average", action);
  }
  const auto [least, most] = found->second;
  if (folders >= least && folders <= most) return;
  wrong_use("adapters " + action + " takes other folders",
            most == 1 ? "one adapter" : (most == 2 ? "two adapters" : "two adapters or more"),
            std::to_string(folders));
}

std::vector<double> weights_of(const std::string& text) {
  std::vector<double> weights;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) try {
      std::size_t read = 0;
      weights.push_back(std::stod(word, &read));
      if (read != word.size()) wrong_use("--weights takes numbers", "such as 0.7,0.3", word);
    } catch (const std::logic_error&) {
      wrong_use("--weights takes numbers", "such as 0.7,0.3", word);
    }
  return weights;
}

Json request_of(const po::variables_map& given) {
  Words words = given["word"].as<Words>();
  if (words.empty()) wrong_use("adapters takes an action", "espalier adapters show DIR", "none");
  const std::string action = words.front();
  words.erase(words.begin());
  require_count(action, words.size());
  Json request = {{"do", action}, {"adapters", words}, {"plugins", given["plugins"].as<Words>()}};
  for (const char* key : {"base", "into", "how"}) {
    if (given.count(key) > 0) request[key] = given[key].as<std::string>();
  }
  if (request.contains("base")) request["base"] = resolve_path(given["base"].as<std::string>()).string();
  const bool writes = action == "merge" || action == "average";
  if (writes && !request.contains("into")) {
    wrong_use("adapters " + action + " needs a folder to write", "--into DIR", "none");
  }
  if (action != "average") return request;
  request["weights"] =
      weights_of(given.count("weights") > 0 ? given["weights"].as<std::string>() : "");
  if (request["weights"].size() == words.size()) return request;
  wrong_use("adapters average needs a weight for each adapter",
            std::to_string(words.size()) + " numbers",
            std::to_string(request["weights"].size()));
}

}  // namespace

int adapters(const std::vector<std::string>& arguments) {
  const po::options_description options = adapters_options();
  po::options_description all;
  all.add(options).add_options()("word", po::value<Words>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("word", -1));
  if (given.count("help") > 0) return print_adapters_help(options), 0;
  become_worker({"adapters", request_of(given).dump()});
}

}  // namespace espalier::cli
