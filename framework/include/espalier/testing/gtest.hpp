// The conformance suite as GoogleTest tests, one a component and property.
//
//   #include <espalier/testing/gtest.hpp>
//   ESPALIER_CONFORMANCE_TESTS(PLUGIN_FOLDER)
//
// A component with required parameters is skipped unless a second argument, of type Given, has
// them. The components are found when the tests are listed. Link GTest::gtest_main.
#pragma once

#include <espalier/testing/suite.hpp>
#include <gtest/gtest.h>
#include <ostream>

namespace espalier::conformance {

inline void PrintTo(const Case& one, std::ostream* out) { *out << one.name(); }

class Conformance : public testing::TestWithParam<Case> {
 protected:
  static void run(const Case& one) {
    const Finding finding = one.run();
    if (finding.state == State::skipped) GTEST_SKIP() << finding.message;
    EXPECT_EQ(finding.state, State::holds)
        << one.component() << ": " << one.property().statement << '\n'
        << finding.message;
  }
};

inline std::string test_name(const testing::TestParamInfo<Case>& info) { return info.param.name(); }

}  // namespace espalier::conformance

#define ESPALIER_CONFORMANCE_TESTS(...)                                                 \
  namespace espalier::conformance {                                                     \
  TEST_P(Conformance, Holds) { run(GetParam()); }                                       \
  INSTANTIATE_TEST_SUITE_P(Plugins, Conformance, testing::ValuesIn(cases(__VA_ARGS__)), \
                           test_name);                                                  \
  }
