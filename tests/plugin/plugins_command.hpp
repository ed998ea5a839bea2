// `espalier plugins`, as a person starts it.
#pragma once

#include <chrono>
#include <espalier/core/process.hpp>
#include <string>
#include <vector>

namespace espalier {

inline ProcessResult plugins(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {(current_executable().parent_path() / "espalier").string(), "plugins"});
  return run_process(arguments, std::chrono::seconds(100));
}

}  // namespace espalier
