#include "results/comparison_formats.hpp"

#include <gmock/gmock.h>

#include "results/comparison_support.hpp"
#include <algorithm>

namespace espalier {
namespace {

using testing::HasSubstr;

using ComparisonFormatsTest = ComparisonTest;

TEST_F(ComparisonFormatsTest, EveryFormatEscapesAndCsvHasAllDigits) {
  const AxisComparison comparison =
      compare({sweep_named("e", {{peft("a_b|c"), 0, 1.0 / 3}, {peft("50% & $"), 0, 0.25}})},
              {.by = {"peft.use"}});
  EXPECT_THAT(comparison_markdown(comparison), HasSubstr("| a\\_b\\|c | 33.33 |"));
  EXPECT_THAT(comparison_latex(comparison),
              testing::AllOf(HasSubstr("50\\% \\& \\$ & 25.00"), HasSubstr("\\toprule"),
                             HasSubstr("\\bottomrule")));
  const std::string csv = comparison_csv(comparison);
  EXPECT_THAT(csv,
              HasSubstr(",a_b|c,0.3333333333333333,,,,1,1,100,20,,5000,2048,800,3145728,,0.5,,,,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
}

TEST_F(ComparisonFormatsTest, NamesThatDriveATerminalAreShownAndNotSent) {
  const AxisComparison comparison = compare(
      {sweep_named("h", {{peft("a\x1b[2J"), 0, 0.5}, {peft("b"), 0, 0.25}})}, {.by = {"peft.use"}});
  for (const std::string& text :
       {comparison_text(comparison), comparison_markdown(comparison), comparison_csv(comparison)}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace espalier
