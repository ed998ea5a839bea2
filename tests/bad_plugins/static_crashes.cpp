// A static initialiser does what a null pointer would.
#include <csignal>

#include "fixture.hpp"

namespace {
const int value = std::raise(SIGSEGV);
}

ESPALIER_COMPONENT(captioner, "static_crashes", 1, Fixture, "Crashes whoever loads it", "text")
