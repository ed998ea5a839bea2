#include <cstdio>

#include "start_worker.hpp"
#include "verbs.hpp"

namespace espalier::cli {

int doctor(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::puts(
        "usage: espalier doctor [--plugins DIR]...\n\n"
        "Says which LibTorch, BLAS and HDF5 are used, what the CPU can do, how fast matrix\n"
        "products are, and which plugin folders are searched. What is wrong is listed at the end\n"
        "with its repair. Takes about two seconds. Exit code 1 when something is wrong.\n\n"
        "example:\n"
        "  espalier doctor");
    return 0;
  }
  std::vector<std::string> words = {"doctor"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  become_worker(words);
}

}  // namespace espalier::cli
