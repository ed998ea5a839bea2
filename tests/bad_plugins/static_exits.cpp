// A static initialiser ends the process as if all were well.
#include <cstdlib>

#include "fixture.hpp"

namespace {
[[maybe_unused]] const int value = (std::exit(0), 1);
}

ESPALIER_COMPONENT(captioner, "static_exits", 1, Fixture, "Ends whoever loads it, quietly", "text")
