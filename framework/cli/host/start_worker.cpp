#include "start_worker.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>

namespace espalier::cli {

void become_worker(const std::vector<std::string>& arguments) {
  const std::string program = worker_program().string();
  std::vector<char*> words = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  std::fflush(nullptr);
  ::execv(program.c_str(), words.data());
  throw Error({.what = "espalier-worker cannot be started",
               .where = program,
               .expected = "a program",
               .found = std::strerror(errno),
               .fix = "build or install Espalier again"});
}

}  // namespace espalier::cli
