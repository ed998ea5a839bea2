#include "captions_request.hpp"

#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>

#include "plugins_internal.hpp"
#include "settings.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

bool is_setting_of(const std::string& word, const std::string& section) {
  return word.starts_with(section + ".") || word.starts_with(section + "=");
}

Json encoder_for_both(const Words& settings, const Catalog& catalog, const std::string& verb) {
  if (settings.empty()) return nullptr;
  Json encoder = resolve_settings("encoder", read_settings("encoder", settings), catalog);
  if (!catalog.has("encoder", encoder, "shared_space")) {
    wrong_set_use(verb, "clip_score compares pictures and texts",
                  "an encoder with one space for both",
                  "encoder/" + encoder.at("use").get<std::string>());
  }
  return encoder;
}

}  // namespace

po::options_description set_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("synonyms", po::value<std::string>()->default_value("")->value_name("FILE"),
      "further names of classes, JSON {class: [name, ...]}");
  add("device", po::value<std::string>()->default_value("cpu")->value_name("cpu|cuda|auto"),
      "where the encoder computes");
  add("plugins", po::value<Words>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  return options;
}

po::variables_map set_arguments(const Words& arguments, const po::options_description& options) {
  po::options_description all;
  all.add(options).add_options()("word-of-set", po::value<Words>()->default_value({}, ""));
  return parse_options(arguments, all, po::positional_options_description().add("word-of-set", -1));
}

Json set_request(const po::variables_map& given, const std::string& verb) {
  Words files, of_dataset, of_encoder, others;
  for (const std::string& word : given["word-of-set"].as<Words>()) {
    const bool setting = word.find('=') != std::string::npos;
    if (is_setting_of(word, "dataset")) {
      of_dataset.push_back(word);
    } else if (is_setting_of(word, "encoder")) {
      of_encoder.push_back(word);
    } else {
      (setting ? others : files).push_back(word);
    }
  }
  if (!others.empty()) {
    wrong_set_use(verb, "an argument is no setting of the dataset or the encoder",
                  "dataset.KEY=VALUE or encoder.KEY=VALUE", others[0]);
  }
  if (files.size() != 1 || of_dataset.empty()) {
    wrong_set_use(verb, verb + " needs a set and the pictures that it is for",
                  "SET dataset.use=NAME ...",
                  files.size() == 1 ? "no dataset" : std::to_string(files.size()) + " sets");
  }
  const auto& folders = given["plugins"].as<Words>();
  Catalog catalog = Catalog::installed(folders);
  catalog.describe(worker_program());
  return {{"set", files[0]},
          {"dataset", resolve_settings("dataset", read_settings("dataset", of_dataset), catalog)},
          {"encoder", encoder_for_both(of_encoder, catalog, verb)},
          {"synonyms", given["synonyms"].as<std::string>()},
          {"device", given["device"].as<std::string>()},
          {"plugins", folders}};
}

void wrong_set_use(const std::string& verb, std::string what, std::string expected,
                   std::string found) {
  throw Error({.what = std::move(what),
               .where = "command line",
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = "espalier " + verb + " --help shows an example"});
}

}  // namespace espalier::cli
