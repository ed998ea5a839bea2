#include "fixture.hpp"

ESPALIER_COMPONENT(captioner, "plain", 1, Fixture, "Says the same of every image", "text")
