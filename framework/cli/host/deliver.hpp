// Where a verb puts the text that it made.
#pragma once

#include <boost/program_options.hpp>
#include <espalier/core/file.hpp>
#include <iostream>
#include <string>

namespace espalier::cli {

// The file that --out names, else standard output.
inline void deliver(const boost::program_options::variables_map& given, const std::string& text) {
  if (given.count("out") == 0) {
    std::cout << text << std::flush;
  } else {
    write_file(given["out"].as<std::string>(), text);
  }
}

}  // namespace espalier::cli
