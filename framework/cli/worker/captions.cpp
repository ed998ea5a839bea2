#include <iostream>

#include "captions_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {

int captions(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1 || arguments[0] == "--help") {
    std::cout << "usage: espalier-worker captions REQUEST\n\nespalier captions makes the request, "
                 "a JSON object.\n\nexample:\n  espalier captions --help\n";
    return arguments.size() == 1 ? 0 : 2;
  }
  return review_captions(parse_json(arguments[0], "request"));
}

}  // namespace espalier::cli
