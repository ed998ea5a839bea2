// The verbs of espalier, one file each.
#pragma once

#include <string>
#include <vector>

namespace espalier::cli {

int data(const std::vector<std::string>& arguments);
int plugins(const std::vector<std::string>& arguments);
int tokenize(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
