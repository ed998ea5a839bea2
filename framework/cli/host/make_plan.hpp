// From the words of a command to a plan, for `espalier plan` and `espalier run`.
#pragma once

#include "experiment/plan.hpp"
#include "experiment/source.hpp"
#include <boost/program_options.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::cli {

struct PlanRequest {
  std::vector<std::string> words;    // the experiment's file, then overrides
  std::vector<std::string> plugins;  // folders given by hand
  std::filesystem::path results;
  bool record = false;  // captions that a server has to write first
};

// The positional words. Throws Error where there is none.
[[nodiscard]] std::vector<std::string> experiment_words(
    const boost::program_options::variables_map& given, const std::string& verb);

// Of one stage of activations, as --activation-limit takes it.
inline constexpr const char* default_activation_limit = "16G";
// Bytes that an option says, `none` for no limit. Throws Error where it is no size.
[[nodiscard]] std::int64_t limit_of(const boost::program_options::variables_map& given,
                                    const char* option);

// Has captions recorded where that is asked for, and says where they are missing. Prints the plan's
// warnings and, on a terminal, how far the data is read, to standard error.
// Throws Error with all that is wrong with the experiment.
[[nodiscard]] Plan make_plan(const PlanRequest& request, const ExperimentSource& source);

// What keeps trials from being run, in a line each: `24 trials equal an earlier one ...`, `2 trials
// cannot be and are left out: ...`.
[[nodiscard]] std::vector<std::string> told_left_out(const Plan& plan);

}  // namespace espalier::cli
