// A static initialiser finds that something is wrong.
#include <cstdio>
#include <cstdlib>

#include "fixture.hpp"

namespace {
[[maybe_unused]] const int value = (std::fputs("static_aborts: no licence\n", stderr), std::abort(), 1);
}

ESPALIER_COMPONENT(captioner, "static_aborts", 1, Fixture, "Aborts whoever loads it", "text")
