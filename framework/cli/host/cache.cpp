#include "run/progress.hpp"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/units.hpp>
#include <iostream>
#include <variant>

#include "../json_text.hpp"
#include "../verb.hpp"
#include "cache_internal.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;
using Given = po::variables_map;

Json to_json(const CachedStage& entry) {
  return {{"stage", entry.stage},
          {"key", entry.key},
          {"folder", entry.folder.string()},
          {"samples", entry.samples()},
          {"parts", entry.parts.size()},
          {"bytes", entry.bytes},
          {"age_seconds", std::floor(seconds_since(entry.made))},
          {"unused_seconds", std::floor(seconds_since(entry.used))}};
}

int list_cache(const std::vector<std::string>& arguments) {
  const po::options_description options = cache_options();
  const Given given = parse_options(arguments, options, {});
  if (given.count("help") > 0) {
    std::cout << "usage: espalier cache list [--results DIR] [--json]\n\n"
                 "One line an entry: its stage and the beginning of its key, samples, size, age,\n"
                 "and how long ago a trial used it.\n\n"
              << options << "\nexample:\n  espalier cache list\n";
    return 0;
  }
  const StageCache cache = cache_of(given);
  const std::vector<CachedStage> entries = cache.entries();
  if (given.count("json") > 0) {
    Json json = {{"cache", cache.folder().string()}, {"bytes", bytes_of(entries)}};
    json["entries"] = Json::array();
    for (const CachedStage& entry : entries) json["entries"].push_back(to_json(entry));
    print_json(json);
    return 0;
  }
  for (const CachedStage& entry : entries) {
    std::printf("%-30s %8lld samples %10s, made %s ago, used %s ago\n", short_name(entry).c_str(),
                static_cast<long long>(entry.samples()), bytes_text(entry.bytes).c_str(),
                short_duration(seconds_since(entry.made)).c_str(),
                short_duration(seconds_since(entry.used)).c_str());
  }
  std::printf("%s, %s in %s\n", counted(entries.size(), "entry", "entries").c_str(),
              bytes_text(bytes_of(entries)).c_str(), printable(cache.folder().string()).c_str());
  return 0;
}

Json part_json(const fs::path& file) {
  const auto read = StagePart::open(file);
  Json json = {{"file", file.filename().string()}};
  if (const auto* part = std::get_if<StagePart>(&read)) {
    json["samples"] = part->ids().size();
    json["sha256"] = part->checksum();
  } else {
    const auto& fault = std::get<StagePart::Fault>(read);
    json[fault.newer ? "newer" : "damaged"] = fault.reason;
  }
  return json;
}

void print_entry(const CachedStage& entry, const Json& json) {
  std::printf("%s/%s\n  %s, %lld samples, made %s ago, used %s ago\n", entry.stage.c_str(),
              entry.key.c_str(), bytes_text(entry.bytes).c_str(),
              json.at("samples").get<long long>(),
              short_duration(seconds_since(entry.made)).c_str(),
              short_duration(seconds_since(entry.used)).c_str());
  std::printf("made of\n");
  if (json.at("about").is_null()) std::printf("  (not recorded)\n");
  for (const char* part : {"config", "inputs"}) {
    if (json.at("about").is_null()) break;
    for (const auto& [name, value] : json["about"][part].items()) {
      std::printf("  %-7s %-10s %s", part, printable(name).c_str(), json_text(value).c_str());
    }
  }
  std::printf("parts\n");
  for (const Json& part : json.at("files")) {
    std::printf("  %s", printable(part.at("file").get<std::string>()).c_str());
    for (const auto& [name, value] : part.items()) {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      if (name != "file") std::printf("  %s %s", name.c_str(), printable(text).c_str());
    }
    std::printf("\n");
  }
}

int show(const std::vector<std::string>& arguments) {
  const po::options_description options = cache_options();
  po::options_description all;
  all.add(options).add_options()("key", po::value<std::string>());
  const Given given =
      parse_options(arguments, all, po::positional_options_description().add("key", 1));
  const bool help = given.count("help") > 0;
  if (help || given.count("key") == 0) {
    (help ? std::cout : std::cerr)
        << "usage: espalier cache show KEY [--results DIR] [--json]\n\n"
           "Shows what an entry was made of, and its parts with their checksums. KEY is the\n"
           "beginning of a key, as list shows it, with its stage or without. config is what\n"
           "the trial that made it was given, inputs is what the key is the hash of.\n\n"
        << options << "\nexample:\n  espalier cache show image_features/3f2a\n";
    return help ? 0 : 2;
  }
  const CachedStage entry = cache_of(given).find(given["key"].as<std::string>());
  Json json = to_json(entry);
  json["about"] = entry.about();
  json["files"] = Json::array();
  for (const fs::path& part : entry.parts) json["files"].push_back(part_json(part));
  given.count("json") > 0 ? print_json(json) : print_entry(entry, json);
  return 0;
}

const std::vector<Verb>& cache_verbs() {
  static const std::vector<Verb> verbs = {
      {"list", "One line an entry: samples, size, age, last use", list_cache},
      {"show", "One entry: what it was made of, its parts", show},
      {"prune", "Remove entries that are old or large", prune_cache},
      {"verify", "Read everything and name what is damaged", verify_cache},
  };
  return verbs;
}

}  // namespace

po::options_description cache_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("results", po::value<std::string>()->default_value("results")->value_name("DIR"),
      "where results are kept");
  add("json", "one JSON object");
  add("help", "show this");
  return options;
}

StageCache cache_of(const Given& given) {
  const fs::path results = given["results"].as<std::string>();
  std::error_code ignored;
  if (fs::is_directory(results, ignored)) return StageCache(results / ".cache");
  throw Error({.what = "there is no results folder",
               .where = results.string(),
               .expected = "the folder that holds the experiments' folders",
               .found = {},
               .fix = "name it with --results DIR"});
}

double seconds_since(fs::file_time_type time) {
  const std::chrono::duration<double> age = fs::file_time_type::clock::now() - time;
  return std::max(0.0, age.count());
}

std::string short_name(const CachedStage& entry) {
  const std::string cut = entry.key.substr(entry.family().size());
  return entry.stage + "/" + entry.family().substr(0, 12) + cut;
}

std::string counted(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::int64_t bytes_of(const std::vector<CachedStage>& entries) {
  std::int64_t sum = 0;
  for (const CachedStage& entry : entries) sum += entry.bytes;
  return sum;
}

void print_json(const Json& json) { std::cout << json_text(json); }

int cache(const std::vector<std::string>& arguments) {
  return dispatch("espalier cache", cache_verbs(), arguments);
}

}  // namespace espalier::cli
