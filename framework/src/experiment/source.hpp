// An experiment as written: a YAML file and overrides from the command line. docs/experiments.md
// has the language.
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {

// One key and the values that it takes in turn.
struct SweepAxis {
  std::string key;  // dotted, such as graph.tau
  std::vector<Json>
      values;  // {"glob": [patterns], "exclude": [patterns]} stands for component names
  std::string where;
};

// One block of `sweep`: the product of its grid axes and its zips, the last one fastest.
struct SweepBlock {
  std::vector<SweepAxis> grid;
  std::vector<std::vector<SweepAxis>> zips;  // the axes of one zip advance together
  std::int64_t sample = 0;                   // draw so many of the product, 0: all of it
  std::int64_t sample_seed = 1;
  std::vector<std::pair<std::string, std::string>> when;     // predicate, where
  std::vector<std::pair<std::string, std::string>> exclude;  // predicate, where
};

// What `where` begins with for an override.
inline constexpr std::string_view on_command_line = "command line: ";

struct ExperimentSource {
  std::string file;
  std::string name;  // letters, digits, "-", "_" and "."; never begins with "."
  std::string about;
  Json base = Json::object();      // nested; a component given by its name is {"use": name}
  std::vector<SweepBlock> blocks;  // at least one; a block without axes is one trial
  std::map<std::string, std::string> where;  // dotted key -> file:line or the override
  // Path of a component -> names in the file in whose place an override put another. Keys that the
  // file gives to them stay in `base`.
  std::map<std::string, std::vector<std::string>> replaced;
  std::vector<Problem> mistakes;      // of the file and the overrides; Plan::make() throws them
  std::set<std::string> unread;       // sections in which a mistake took a key away
  std::vector<std::string> warnings;  // what is easily meant otherwise, one sentence each
  Json limits = Json::object();  // seconds and megabytes a trial, 0: none; no part of the identity

  // Throws Error where the file cannot be read as YAML at all. Every other mistake is left in
  // `mistakes`, so that those which only show when it is planned are said with them.
  static ExperimentSource read(const std::filesystem::path& file,
                               const std::vector<std::string>& overrides);

  // Where the value under a dotted key was given, or the nearest key above it, or the file.
  [[nodiscard]] std::string locate(std::string_view key) const;
  // Whether an override gave that value.
  [[nodiscard]] bool is_override(std::string_view key) const {
    return locate(key).starts_with(on_command_line);
  }
};

}  // namespace espalier
