#include <espalier/core/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace espalier {
namespace {

TEST(Problem, IsShownWithOneLineAFieldAndEmptyOnesLeftOut) {
  const Problem problem{.what = "unknown key \"graph.tua\"", .where = "a.yaml:3", .expected = {},
                        .found = "tua", .fix = "did you mean \"tau\"?"};
  EXPECT_EQ(to_string(problem),
            "unknown key \"graph.tua\"\n"
            "  where:    a.yaml:3\n"
            "  found:    tua\n"
            "  fix:      did you mean \"tau\"?");
}

TEST(Problem, IndentsTheLinesOfALongField) {
  const Problem problem{.what = "x", .where = {}, .expected = "one\ntwo", .found = {}, .fix = {}};
  EXPECT_EQ(to_string(problem), "x\n  expected: one\n            two");
}

TEST(Problems, AreThrownTogether) {
  Problems problems;
  problems.throw_if_any();
  problems.add({.what = "first", .where = {}, .expected = {}, .found = {}, .fix = {}});
  problems.add({.what = "second", .where = {}, .expected = {}, .found = {}, .fix = {}});
  try {
    problems.throw_if_any();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.problems().size(), 2u);
    EXPECT_EQ(std::string(error.what()), "first\nsecond");
  }
}

}  // namespace
}  // namespace espalier
