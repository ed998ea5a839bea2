// Prints while it is loaded.
#include <cstdio>

#include "fixture.hpp"

namespace {
const int printed = std::puts("{\"hello\": \"from a static initialiser\"}");
}

ESPALIER_COMPONENT(captioner, "chatty", 1, Fixture, "Prints while it is loaded", "text")
