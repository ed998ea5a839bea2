#include <espalier/core/printable.hpp>

#include <gtest/gtest.h>

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const char* text : {"", "Löwenzahn", "Übung 1/2 \"x\" \\ '", "猫 🐈", "a\u200db", "\ufeff"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, ShowsWhatDrivesATerminal) {
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(printable("a\r\nb\tc\x7f"), "a\\r\\nb\\tc\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\u009b31m"), "\\u009b31m") << "CSI in one character";
}

TEST(Printable, ShowsWhatTurnsTheDirectionOfReading) {
  EXPECT_EQ(printable("invoice\u202egpj.exe"), "invoice\\u202egpj.exe");
  EXPECT_EQ(printable("\u2066a\u2069\u200f\u061c\u2028"), "\\u2066a\\u2069\\u200f\\u061c\\u2028");
}

TEST(Printable, ShowsBytesThatAreNoText) {
  EXPECT_EQ(printable("a\xff"
                      "b"),
            "a\\xffb");
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut";
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "longer than it need be";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half a surrogate pair";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "\\x9b31m");
}

TEST(Printable, KeepsLinesWhereThereMayBeSome) {
  EXPECT_EQ(printable_lines("a\x1b\nb\r\n"), "a\\x1b\nb\\r\n");
}

TEST(Printable, IsHowErrorsAreShown) {
  const Error error({.what = "no class \"\x1b[31m\"",
                     .where = "a\u202e.jpg",
                     .expected = {},
                     .found = "two\nlines\x07",
                     .fix = {}});
  EXPECT_STREQ(error.what(),
               "no class \"\\x1b[31m\"\n  where:    a\\u202e.jpg\n  found:    two\n            "
               "lines\\x07");
}

TEST(PrintableJson, EscapesAsJsonDoes) {
  EXPECT_EQ(printable_json("{\"a\": \"rosé \xc2\x9b\x7f\xe2\x80\xae\\u001b\"}\n"),
            "{\"a\": \"rosé \\u009b\\u007f\\u202e\\u001b\"}\n");
}

}  // namespace
}  // namespace espalier
