#include <espalier/core/error.hpp>
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
  const Json request = parse_json(arguments[0], "request");
  const std::string action = request.at("do");
  if (action == "write") return write_captions(request);
  if (action == "check") return check_caption_set(request);
  if (action == "filter") return filter_caption_set(request);
  return review_captions(request);
}

}  // namespace espalier::cli
