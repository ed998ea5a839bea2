// The verbs of espalier, one file each.
#pragma once

#include <string>
#include <vector>

namespace espalier::cli {

int adapters(const std::vector<std::string>& arguments);
int cache(const std::vector<std::string>& arguments);
int captions(const std::vector<std::string>& arguments);
int compare_results(const std::vector<std::string>& arguments);
int data(const std::vector<std::string>& arguments);
int doctor(const std::vector<std::string>& arguments);
int encode(const std::vector<std::string>& arguments);
int export_results(const std::vector<std::string>& arguments);
int graph(const std::vector<std::string>& arguments);
int parity(const std::vector<std::string>& arguments);
int plan(const std::vector<std::string>& arguments);
int plugins(const std::vector<std::string>& arguments);
int run(const std::vector<std::string>& arguments);
int status(const std::vector<std::string>& arguments);
int table(const std::vector<std::string>& arguments);
int tokenize(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
