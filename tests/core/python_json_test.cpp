#include <espalier/core/python_json.hpp>

#include <gtest/gtest.h>

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

TEST(PythonJson, KeepsWhatIsNoNumberAsText) {
  const Json json = parse_python_json(
      "\xEF\xBB\xBF{\"a\": NaN, \"b\": [-Infinity,Infinity], \"NaN \\\" NaN\": \"x NaN\"}", "test");
  EXPECT_EQ(json, (Json{{"a", "NaN"}, {"b", {"-Infinity", "Infinity"}}, {"NaN \" NaN", "x NaN"}}));
  EXPECT_THROW((void)parse_json("{\"a\": NaN}", "test"), Error);
  EXPECT_THROW((void)parse_python_json("{\"a\": NaNa}", "test"), Error);
  EXPECT_THROW((void)parse_python_json("{\"a\": NaN, \"b", "test"), Error);
}

}  // namespace
}  // namespace espalier
