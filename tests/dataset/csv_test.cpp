#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.hpp>
#include <espalier/dataset/csv.hpp>

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string csv_error(std::string_view text) {
  try {
    (void)parse_csv(text, "t.csv");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(CsvTest, ReadsFieldsAndLines) {
  const auto rows = parse_csv(
      "\xef\xbb\xbf"
      "a,b\r\n\n1,,\"x, \"\"y\"\"\nz\"\n2",
      "t.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(rows[1].fields, ElementsAre("1", "", "x, \"y\"\nz"));
  EXPECT_EQ(rows[1].line, 3);
  EXPECT_THAT(rows[2].fields, ElementsAre("2"));
  EXPECT_EQ(rows[2].line, 5);
  EXPECT_TRUE(parse_csv("", "t.csv").empty());
}

TEST(CsvTest, NamesTheLineOfAMistake) {
  EXPECT_THAT(csv_error("a\n\"b"), HasSubstr("t.csv:2"));
  EXPECT_THAT(csv_error("a\nb\"c"), HasSubstr("not quoted"));
  EXPECT_THAT(csv_error("\"a\"b"), HasSubstr("after a closing quote"));
  EXPECT_THAT(csv_error("a\n\n\xff"), HasSubstr("t.csv:3"));
}

}  // namespace
}  // namespace espalier
