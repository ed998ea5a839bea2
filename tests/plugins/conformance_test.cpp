// Every property of every component that is built here.
#include <espalier/testing/gtest.hpp>

ESPALIER_CONFORMANCE_TESTS(ESPALIER_BINARY_DIR "/plugins")
