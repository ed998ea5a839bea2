// The verbs of espalier-worker, one file each.
#pragma once

#include <string>
#include <vector>

namespace espalier::cli {

int adapters(const std::vector<std::string>& arguments);
int captions(const std::vector<std::string>& arguments);
int check_device(const std::vector<std::string>& arguments);
int check_plugin(const std::vector<std::string>& arguments);
int describe(const std::vector<std::string>& arguments);
int doctor(const std::vector<std::string>& arguments);
int encode(const std::vector<std::string>& arguments);
int graph(const std::vector<std::string>& arguments);
int inspect(const std::vector<std::string>& arguments);
int parity(const std::vector<std::string>& arguments);
int serve(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
