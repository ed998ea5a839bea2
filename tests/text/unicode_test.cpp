#include "text/unicode.hpp"

#include <gtest/gtest.h>

namespace espalier {
namespace {

// Widths by Unicode's East Asian Width (UAX 11).
TEST(Unicode, CountsTheCellsThatATerminalTakes) {
  EXPECT_EQ(unicode::cells("rose"), 4u);
  EXPECT_EQ(unicode::cells("\xc3\xa4\xc3\xb6\xc3\xbc"), 3u) << "two bytes each";
  EXPECT_EQ(unicode::cells("e\xcc\x81"), 1u) << "an accent of its own";
  EXPECT_EQ(unicode::cells("\xe8\x8a\xb1\xe6\x9c\xb5"), 4u) << "wide characters";
  EXPECT_EQ(unicode::cells("a\xff"), 2u) << "no UTF-8";
  EXPECT_EQ(unicode::cells(""), 0u);
}

}  // namespace
}  // namespace espalier
