// What the parts of `espalier cache` share.
#pragma once

#include "cache/stage_cache.hpp"
#include <boost/program_options.hpp>
#include <cstddef>
#include <espalier/core/json.hpp>
#include <string>
#include <vector>

namespace espalier::cli {

// --results, --json, --help.
boost::program_options::options_description cache_options();

// Of --results. Throws Error where that folder is not there.
StageCache cache_of(const boost::program_options::variables_map& given);

double seconds_since(std::filesystem::file_time_type time);
std::string short_name(const CachedStage& entry);
// `1 entry`, `2 entries`.
std::string counted(std::size_t count, const std::string& one, const std::string& many);
std::int64_t bytes_of(const std::vector<CachedStage>& entries);
void print_json(const Json& json);

int prune_cache(const std::vector<std::string>& arguments);
int verify_cache(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
