// What `captions check` and `captions filter` are asked in common.
#pragma once

#include <boost/program_options.hpp>
#include <espalier/core/json.hpp>
#include <string>
#include <vector>

namespace espalier::cli {

// --synonyms, --device, --plugins.
[[nodiscard]] boost::program_options::options_description set_options();

// Options, and the words beside them.
[[nodiscard]] boost::program_options::variables_map set_arguments(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& options);

// {set, dataset, encoder or null, synonyms, device, plugins}. Throws Error where the set, the
// dataset or an encoder for pictures and texts is not named as it should be.
[[nodiscard]] Json set_request(const boost::program_options::variables_map& given,
                               const std::string& verb);

[[noreturn]] void wrong_set_use(const std::string& verb, std::string what, std::string expected,
                                std::string found);

}  // namespace espalier::cli
