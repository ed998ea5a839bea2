#include <espalier/core/builtin.hpp>
#include <espalier/core/content.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>
#include <iostream>

#include "captions_internal.hpp"
#include "plugins_internal.hpp"
#include "settings.hpp"
#include "start_worker.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

po::options_description write_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("out", po::value<std::string>()->default_value("captions.jsonl")->value_name("FILE"),
      "the set; what is answered before its end is kept in FILE.part");
  add("seed", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "of captioners that follow the seed of a trial");
  add("plugins", po::value<Words>()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  add("help", "show this");
  return options;
}

void print_write_help(const po::options_description& options) {
  std::cout
      << "usage: espalier captions write dataset.use=NAME [dataset.KEY=VALUE...]\n"
         "                               captioner.use=NAME [captioner.KEY=VALUE...]\n"
         "                               [encoder.weights=DIR] [OPTIONS]\n\n"
         "Has a captioner describe every picture of a dataset, and writes what it says into a\n"
         "caption set, which captioner.use=file reads. The same command goes on where it was\n"
         "stopped, and asks again for pictures that got no caption. A key for the server is read\n"
         "from the environment variable that captioner.key_env names. With the folder of an\n"
         "encoder it says how many captions are longer than that reads.\n"
         "`espalier plugins show captioner/openai` lists the settings of a captioner.\n\n"
      << options
      << "\nexample:\n  espalier captions write dataset.use=image_folder dataset.root=photos \\\n"
         "    captioner.use=openai captioner.base_url=http://127.0.0.1:8080/v1 \\\n"
         "    captioner.model=smolvlm captioner.subject='photo of a flower' --out flowers.jsonl\n"
         "\nexit code: 0 every picture has a caption, 1 some have none, 2 a mistake or no room,\n"
         "130 and 143 stopped by Ctrl-C and SIGTERM\n";
}

[[noreturn]] void cannot_write_captions(std::string what, std::string expected, std::string found) {
  throw Error({.what = std::move(what),
               .where = "command line",
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = "espalier captions write --help shows an example"});
}

fs::path out_file(const std::string& name) {
  fs::path file = fs::absolute(name).lexically_normal();
  if (!file.has_filename() || fs::is_directory(file)) {
    cannot_write_captions("--out names a folder", "a file such as captions.jsonl", name);
  }
  if (!fs::is_directory(file.parent_path())) {
    cannot_write_captions("the folder of --out is not there", "an existing folder",
                          file.parent_path().string());
  }
  return file;
}

// What is asked: the section without what says only how the answer comes, files and folders by
// their content.
Json asked_of(std::string_view kind, const Json& section, const Catalog& catalog) {
  const ComponentInfo& info = *catalog.find(kind, section.at("use").get<std::string>());
  Json params = Json::object();
  for (const FieldInfo& field : info.schema.fields) {
    if (field.only_if == "false") continue;
    Json value = section.at(field.name);
    if (field.content && value.is_string() && !value.get<std::string>().empty()) {
      value = "sha256:" + hex(ContentHasher().digest(resolve_path(value.get<std::string>())));
    } else if (field.type == FieldType::component && value.is_object()) {
      value = asked_of(field.kind, value, catalog);
    }
    params[field.name] = value;
  }
  return {{"use", section.at("use")}, {"version", info.version}, {"params", params}};
}

// Of the encoder that is to read the captions; empty where none is named.
std::string tokenizer_folder(const Words& settings) {
  if (settings.empty()) return {};
  const auto given = read_settings("encoder", settings);
  if (given.size() == 1 && given.contains("weights")) {
    return resolve_path(given.at("weights")).string();
  }
  cannot_write_captions("captions write needs only the folder of an encoder", "encoder.weights=DIR",
                        settings.front());
}

Json write_request(const po::variables_map& given) {
  const auto& folders = given["plugins"].as<Words>();
  Words of_dataset, of_captioner, of_encoder;
  for (const std::string& word : given["word"].as<Words>()) {
    const bool captioner = word.starts_with("captioner.") || word.starts_with("captioner=");
    const bool encoder = word.starts_with("encoder.");
    (captioner ? of_captioner : encoder ? of_encoder : of_dataset).push_back(word);
  }
  if (of_dataset.empty() || of_captioner.empty()) {
    cannot_write_captions("captions write needs pictures and who describes them",
                          "dataset.use=NAME ... captioner.use=NAME ...",
                          of_dataset.empty() ? "no dataset" : "no captioner");
  }
  Catalog catalog = Catalog::installed(folders);
  catalog.describe(worker_program());
  const Json dataset = resolve_settings("dataset", read_settings("dataset", of_dataset), catalog);
  const Json captioner =
      resolve_settings("captioner", read_settings("captioner", of_captioner), catalog);
  const std::string use = captioner.at("use");
  if (!catalog.has("captioner", captioner, "text")) {
    cannot_write_captions("this captioner leaves every caption empty", "one that writes texts",
                          "captioner/" + use);
  }
  Json asked = asked_of("captioner", captioner, catalog);
  if (catalog.has("captioner", captioner, "seeded"))
    asked["seed"] = given["seed"].as<std::int64_t>();
  return {{"do", "write"},
          {"dataset", dataset},
          {"captioner", captioner},
          {"about", {{"captioner", asked}, {"dataset", dataset}}},
          {"seed", given["seed"].as<std::int64_t>()},
          {"tokenizer", tokenizer_folder(of_encoder)},
          {"out", out_file(given["out"].as<std::string>()).string()},
          {"plugins", folders}};
}

}  // namespace

int write_captions(const Words& arguments) {
  const po::options_description options = write_options();
  po::options_description all;
  all.add(options).add_options()("word", po::value<Words>()->default_value({}, ""));
  const auto given =
      parse_options(arguments, all, po::positional_options_description().add("word", -1));
  if (given.count("help") > 0) return print_write_help(options), 0;
  become_worker({"captions", write_request(given).dump()});
}

}  // namespace espalier::cli
