// The files of framework/templates, which the build puts into the program.
#pragma once

#include <map>
#include <string_view>

namespace espalier::cli {

// By name, without `.in`.
extern const std::map<std::string_view, std::string_view> plugin_templates;

}  // namespace espalier::cli
