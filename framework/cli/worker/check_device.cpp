#include <cstdio>
#include <espalier/nn/pretrained.hpp>

#include "verbs.hpp"

namespace espalier::cli {

int check_device(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1 || arguments[0].starts_with("-")) {
    std::puts(
        "usage: espalier-worker check-device DEVICE\n\n"
        "Says which device that is, and fails where encoders cannot compute on it.\n\n"
        "example:\n  espalier-worker check-device cuda");
    return arguments == std::vector<std::string>{"--help"} ? 0 : 2;
  }
  std::puts(device_of(arguments[0]).str().c_str());
  return 0;
}

}  // namespace espalier::cli
