// A manifest, and no entry point.
#define espalier_plugin_entry misnamed_entry
#include "fixture.hpp"

ESPALIER_COMPONENT(captioner, "no_entry", 1, Fixture, "Cannot be entered", "text")
