#include <espalier/caption/rules.hpp>
#include <espalier/core/words.hpp>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "captions_internal.hpp"
#include "captions_request.hpp"
#include "start_worker.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;
constexpr const char* filter_verb = "captions filter";

po::options_description filter_options() {
  po::options_description options = set_options();
  auto add = options.add_options();
  add("rule", po::value<std::string>()->default_value("")->value_name("NAME,NAME..."),
      "captions that break one of these go; `espalier captions check --help` lists them");
  add("lowest", po::value<double>()->default_value(0)->value_name("SHARE"),
      "and of each class the share with the lowest clip_score, which needs an encoder");
  add("do", po::value<std::string>()->default_value("drop")->value_name("drop|ask|review"),
      "take the text away; leave the caption out, for `captions write` to ask again; or keep and "
      "mark it");
  add("out", po::value<std::string>()->value_name("FILE"), "the new set");
  add("help", "show this");
  return options;
}

void print_filter_help(const po::options_description& options) {
  std::cout
      << "usage: espalier captions filter SET dataset.use=NAME [dataset.KEY=VALUE...]\n"
         "                                [encoder.use=NAME encoder.KEY=VALUE...]\n"
         "                                --rule NAME,... | --lowest SHARE --out FILE [OPTIONS]\n\n"
         "Writes a set without the captions that are not worth keeping, and says what went of "
         "each\n"
         "class. No class loses its last text. The new set names the one that it was made of.\n\n"
      << options
      << "\nexamples:\n  espalier captions filter captions.jsonl dataset.use=image_folder \\\n"
         "    dataset.root=photos --rule empty,refused,thinking,repetition --do ask \\\n"
         "    --out again.jsonl\n"
         "  espalier captions filter captions.jsonl dataset.use=image_folder \\\n"
         "    dataset.root=photos encoder.use=clip encoder.weights=clip-vit-base-patch16 \\\n"
         "    --lowest 0.1 --out better.jsonl\n";
}

Words rules_of(const std::string& text) {
  Words known;
  for (const CaptionRuleInfo& rule : caption_rules()) known.emplace_back(rule.name);
  Words rules;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) {
    if (find_caption_rule(name) == nullptr) {
      wrong_set_use(filter_verb, "there is no such rule" + did_you_mean(name, known, "; "),
                    joined(known), name);
    }
    rules.push_back(name);
  }
  return rules;
}

std::string new_set(const po::variables_map& given, const std::string& set) {
  namespace fs = std::filesystem;
  const std::string out = given.count("out") > 0 ? given["out"].as<std::string>() : "";
  if (out.empty()) wrong_set_use(filter_verb, "a new set needs a name", "--out FILE", "");
  const fs::path folder = fs::absolute(out).parent_path();
  if (!fs::is_directory(folder) || fs::is_directory(out)) {
    wrong_set_use(filter_verb, "--out is no file in an existing folder", "--out FILE", out);
  }
  std::error_code none;
  if (fs::equivalent(out, set, none)) {
    wrong_set_use(filter_verb, "--out is the set itself", "another name", out);
  }
  return out;
}

}  // namespace

int filter_caption_set(const Words& arguments) {
  const po::options_description options = filter_options();
  const po::variables_map given = set_arguments(arguments, options);
  if (given.count("help") > 0) return print_filter_help(options), 0;
  Json request = set_request(given, filter_verb);
  const double lowest = given["lowest"].as<double>();
  const std::string action = given["do"].as<std::string>();
  const Words rules = rules_of(given["rule"].as<std::string>());
  if (!(lowest >= 0 && lowest < 1)) {
    wrong_set_use(filter_verb, "--lowest is no share", "0 or more, below 1", Json(lowest).dump());
  }
  if (rules.empty() && lowest == 0) {
    wrong_set_use(filter_verb, "nothing says which captions should go", "--rule or --lowest", "");
  }
  if (lowest > 0 && request.at("encoder").is_null()) {
    wrong_set_use(filter_verb, "--lowest needs an encoder that measures clip_score",
                  "encoder.use=NAME ...", "none");
  }
  if (action != "drop" && action != "ask" && action != "review") {
    wrong_set_use(filter_verb, "--do has a wrong value", "drop, ask or review", action);
  }
  request["out"] = new_set(given, request.at("set"));
  request["rules"] = rules;
  request["lowest"] = lowest;
  request["action"] = action;
  request["do"] = "filter";
  become_worker({"captions", request.dump()});
}

}  // namespace espalier::cli
