// The verbs of espalier, one file each.
#pragma once

#include <string>
#include <vector>

namespace espalier::cli {

int plugins(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
