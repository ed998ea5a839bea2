#include "run/stages_in_use.hpp"
#include <charconv>
#include <cmath>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/units.hpp>
#include <iostream>
#include <optional>
#include <set>

#include "cache_internal.hpp"
#include "plugins_internal.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

constexpr double seconds_a_day = 86400;

double days(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  const bool number = parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(value);
  if (!number || std::signbit(value)) wrong_option("older", "days, such as 30 or 0.5", text);
  return value;
}

// What prune takes: what fulfils all that is given.
struct Conditions {
  double unused_seconds = 0;
  std::int64_t larger = -1;

  [[nodiscard]] bool hold(const CachedStage& entry) const {
    return seconds_since(entry.used) >= unused_seconds && entry.bytes > larger;
  }
};

Conditions conditions_of(const po::variables_map& given) {
  if (given.count("older") == 0 && given.count("larger") == 0) {
    throw Error({.what = "nothing says what to remove",
                 .where = "command line",
                 .expected = "--older DAYS, --larger SIZE or both",
                 .found = {},
                 .fix = "--older 0 takes everything that no sweep is using"});
  }
  Conditions conditions;
  if (given.count("older") > 0) {
    conditions.unused_seconds = days(given["older"].as<std::string>()) * seconds_a_day;
  }
  if (given.count("larger") > 0) {
    const auto text = given["larger"].as<std::string>();
    const std::optional<std::int64_t> bytes = parse_bytes(text);
    if (!bytes) wrong_option("larger", "a size, such as 500M or 2G", text);
    conditions.larger = *bytes;
  }
  return conditions;
}

struct Pruned {
  std::vector<CachedStage> removed;
  std::vector<CachedStage> in_use;
};

Pruned prune_entries(const StageCache& cache, const Conditions& conditions,
                     const std::set<std::string>& in_use, bool dry_run) {
  Pruned pruned;
  for (const CachedStage& entry : cache.entries()) {
    if (!conditions.hold(entry)) continue;
    const bool free =
        !in_use.contains(entry.stage + "/" + entry.family()) && (dry_run || cache.remove(entry));
    (free ? pruned.removed : pruned.in_use).push_back(entry);
  }
  return pruned;
}

Json to_json(const Pruned& pruned, bool dry_run) {
  Json json = {{"dry_run", dry_run}, {"bytes", bytes_of(pruned.removed)}};
  for (const auto& [name, entries] :
       {std::pair("removed", &pruned.removed), std::pair("in_use", &pruned.in_use)}) {
    json[name] = Json::array();
    for (const CachedStage& entry : *entries) {
      json[name].push_back({{"stage", entry.stage}, {"key", entry.key}, {"bytes", entry.bytes}});
    }
  }
  return json;
}

}  // namespace

int prune_cache(const std::vector<std::string>& arguments) {
  po::options_description options = cache_options();
  auto add = options.add_options();
  add("older", po::value<std::string>()->value_name("DAYS"),
      "entries that no trial has used for so long");
  add("larger", po::value<std::string>()->value_name("SIZE"),
      "entries of more than this, such as 500M or 2G");
  add("dry-run", "say what would be removed, and remove nothing");
  const po::variables_map given = parse_options(arguments, options, {});
  if (given.count("help") > 0) {
    std::cout << "usage: espalier cache prune [--older DAYS] [--larger SIZE] [--dry-run]\n"
                 "                            [--results DIR] [--json]\n\n"
                 "Removes the entries to which all of the given conditions apply. Those that a\n"
                 "running sweep plans to use stay. Results are never touched: what is needed\n"
                 "again is computed again.\n\n"
              << options << "\nexample:\n  espalier cache prune --older 30 --larger 1G\n";
    return 0;
  }
  const Conditions conditions = conditions_of(given);
  const StageCache cache = cache_of(given);
  const bool dry_run = given.count("dry-run") > 0;
  if (!dry_run) cache.remove_leftovers();
  const Pruned pruned =
      prune_entries(cache, conditions, stages_in_use(given["results"].as<std::string>()), dry_run);
  if (given.count("json") > 0) return print_json(to_json(pruned, dry_run)), 0;
  const char* verb = dry_run ? "would remove" : "removed";
  for (const CachedStage& entry : pruned.removed) {
    std::printf("%s %s, %s\n", verb, short_name(entry).c_str(), bytes_text(entry.bytes).c_str());
  }
  for (const CachedStage& entry : pruned.in_use) {
    std::printf("kept %s, which a running sweep uses\n", short_name(entry).c_str());
  }
  std::printf("%s %s, %s (%lld bytes)\n", verb,
              counted(pruned.removed.size(), "entry", "entries").c_str(),
              bytes_text(bytes_of(pruned.removed)).c_str(),
              static_cast<long long>(bytes_of(pruned.removed)));
  return 0;
}

}  // namespace espalier::cli
