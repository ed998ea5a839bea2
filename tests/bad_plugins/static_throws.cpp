// A static initialiser throws, which ends the process in the middle of loading.
#include <stdexcept>

#include "fixture.hpp"

namespace {
const int value = [] { return throw std::runtime_error("thrown while loading"), 1; }();
}

ESPALIER_COMPONENT(captioner, "static_throws", 1, Fixture, "Ends whoever loads it", "text")
