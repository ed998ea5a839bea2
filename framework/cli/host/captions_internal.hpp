// What `espalier captions` can do, one file each.
#pragma once

#include <boost/program_options.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::cli {

int write_captions(const std::vector<std::string>& arguments);
int check_caption_set(const std::vector<std::string>& arguments);
int filter_caption_set(const std::vector<std::string>& arguments);
int review_captions(const std::vector<std::string>& arguments);
int audit_captions(const std::vector<std::string>& arguments);

// --decisions, or what goes with a set.
[[nodiscard]] std::filesystem::path decisions_folder(
    const boost::program_options::variables_map& given, const std::string& set);

}  // namespace espalier::cli
