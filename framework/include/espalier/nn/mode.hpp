// How a forward pass is made.
#pragma once

#include <espalier/core/random.hpp>

namespace espalier {

// Whether dropout acts, and the generator that it draws from.
struct Mode {
  bool training = false;
  Random* dropout = nullptr;  // set when training
};

}  // namespace espalier
