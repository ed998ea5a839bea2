#include <espalier/caption/rules.hpp>
#include <espalier/core/process.hpp>
#include <iostream>

#include "captions_internal.hpp"
#include "captions_request.hpp"
#include "start_worker.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

po::options_description caption_check_options() {
  po::options_description options = set_options();
  auto add = options.add_options();
  add("samples", po::value<Words>()->default_value({}, "")->value_name("FILE"),
      "another set of the same pictures by the same captioner: how far do they agree; may be "
      "repeated");
  add("word", po::value<std::string>()->default_value("object")->value_name("WORD"),
      "what stands for a name of a class where names are masked");
  add("no-probe", "spare the classifier of texts, which takes longest");
  add("examples", po::value<int>()->default_value(2)->value_name("N"), "shown of each rule");
  add("json", po::value<std::string>()->default_value("")->value_name("FILE"),
      "write the report as JSON as well; - for JSON alone on standard output");
  add("help", "show this");
  return options;
}

void print_caption_check_help(const po::options_description& options) {
  std::cout
      << "usage: espalier captions check SET dataset.use=NAME [dataset.KEY=VALUE...]\n"
         "                               [encoder.use=NAME encoder.KEY=VALUE...] [OPTIONS]\n\n"
         "Says how good the captions of a set are: which rules they break, how far they give\n"
         "the class away, whether they agree with their class, with the facts of the\n"
         "dataset and, where an encoder is given, with their pictures. SET is a caption set\n"
         "or any file that captioner.use=file reads.\n\nrules:\n";
  for (const CaptionRuleInfo& rule : caption_rules()) {
    std::cout << "  " << rule.name << std::string(17 - rule.name.size(), ' ') << rule.summary
              << "\n";
  }
  std::cout << "\n"
            << options
            << "\nexample:\n  espalier captions check captions.jsonl dataset.use=image_folder \\\n"
               "    dataset.root=photos encoder.use=clip encoder.weights=clip-vit-base-patch16\n";
}

}  // namespace

int check_caption_set(const Words& arguments) {
  const po::options_description options = caption_check_options();
  const po::variables_map given = set_arguments(arguments, options);
  if (given.count("help") > 0) return print_caption_check_help(options), 0;
  Json request = set_request(given, "captions check");
  const int examples = given["examples"].as<int>();
  if (examples < 0 || examples > 1000) {
    wrong_set_use("captions check", "--examples has a wrong value", "0 to 1000",
                  std::to_string(examples));
  }
  request["do"] = "check";
  request["samples"] = given["samples"].as<Words>();
  request["word"] = given["word"].as<std::string>();
  request["probe"] = given.count("no-probe") == 0;
  request["examples"] = examples;
  request["json"] = given["json"].as<std::string>();
  request["threads"] = usable_cores();
  become_worker({"captions", request.dump()});
}

}  // namespace espalier::cli
