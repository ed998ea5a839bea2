// What `espalier captions` can do, one file each.
#pragma once

#include <string>
#include <vector>

namespace espalier::cli {

int write_captions(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
