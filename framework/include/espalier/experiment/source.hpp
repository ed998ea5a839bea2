// An experiment as written: a YAML file and overrides from the command line.
#pragma once

#include <espalier/core/json.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace espalier {

// One block of `sweep`: the axes of `grid` and `sample` multiplied, those of a `zip` in step.
struct SweepBlock {
  struct AxisValues {
    std::string key;
    std::vector<Json> values;  // a marker {"glob": "*", "exclude": [...]} stands for component names
    std::string where;
  };
  std::vector<AxisValues> grid;
  std::vector<std::vector<AxisValues>> zips;
  std::int64_t sample = 0;  // draw so many of the product without replacement; 0: all
  std::int64_t sample_seed = 0;
  std::vector<std::pair<std::string, std::string>> when;     // predicate, where
  std::vector<std::pair<std::string, std::string>> exclude;  // predicate, where
};

struct ExperimentSource {
  std::string name;
  std::string about;
  Json base = Json::object();  // nested, as written and overridden
  std::vector<SweepBlock> blocks;
  std::map<std::string, std::string> where;  // dotted key -> file:line or the override
  Json limits = Json::object();  // seconds and megabytes a trial; no part of the identity

  // Throws Error with every mistake of the file and of the overrides.
  static ExperimentSource read(const std::filesystem::path& file,
                               const std::vector<std::string>& overrides);
};

}  // namespace espalier
